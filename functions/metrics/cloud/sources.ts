import * as z from 'zod';
import { jsonVariable } from '../../shared/json-variable.ts';

/** What of AWS the deployment consists of, as far as CloudWatch has metrics of it. */
export const sourcesSchema = z.strictObject({
  /** Namespace of Mainstay’s own metrics. */
  namespace: z.string().min(1),
  /** Id of the HTTP API. */
  api: z.string().min(1),
  /** Name of the queue for what could not be delivered. */
  deadLetters: z.string().min(1),
  /** Names of tables, by what they are called here. */
  tables: z.record(z.string(), z.string().min(1)),
  /** What ARNs of workflows begin with, up to their names. */
  workflowsOf: z.string().min(1),
  /** Names of workflows, by what they are called here. */
  workflows: z.record(z.string(), z.string().min(1)),
});
export type Sources = z.output<typeof sourcesSchema>;

/** The same as an environment variable. */
export const sourcesVariable = jsonVariable.pipe(sourcesSchema);
