import { join } from 'node:path';
import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';
import { StateFile } from '../aws/state-file.ts';

const parameterSchema = z.object({
  name: z.string(),
  arn: z.string(),
  type: z.enum(['String', 'StringList']),
  value: z.string(),
  version: z.number(),
  /** Milliseconds since the epoch. */
  modifiedAt: z.number(),
  description: z.string().optional(),
  /** The value it was last defined with, if it comes from the template. */
  definedValue: z.string().optional(),
});

export type Parameter = z.infer<typeof parameterSchema>;

/** What a parameter is created as. */
export interface ParameterDefinition {
  /** `/path/name` or `name`. */
  name: string;
  type: Parameter['type'];
  value: string;
  description?: string;
}

/** Parameters on disk (mode 0600). */
export class ParameterStore {
  readonly #file: StateFile<{ parameters: Parameter[] }>;
  readonly #prefix: string;

  constructor(directory: string, accountId: string, region: string) {
    const schema = z.object({ parameters: z.array(parameterSchema) });
    this.#file = new StateFile(join(directory, 'parameters.json'), schema, { parameters: [] });
    this.#prefix = `arn:aws:ssm:${region}:${accountId}:parameter/`;
  }

  /** Every parameter, ordered by name. */
  parameters(): Parameter[] {
    return this.#file.state.parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(reference: string): Parameter | undefined {
    return this.#file.state.parameters.find(({ name, arn }) => name === reference || arn === reference);
  }

  /** The ARN of a parameter, whether it exists or not. */
  arnOf(reference: string): string {
    return reference.startsWith('arn:') ? reference : this.#prefix + reference.replace(/^\//, '');
  }

  /** Creates the parameter, or replaces its value when its definition has changed. */
  async ensure(definition: ParameterDefinition): Promise<Parameter> {
    const existing = this.find(definition.name);
    const unchanged = existing?.definedValue === definition.value && existing.type === definition.type;
    const parameter = existing && unchanged ? existing : this.#put(definition);
    parameter.definedValue = definition.value;
    await this.#file.save();
    return parameter;
  }

  /** Throws `ParameterAlreadyExists` when it exists and may not be overwritten. */
  async put(definition: ParameterDefinition, overwrite: boolean): Promise<Parameter> {
    if (this.find(definition.name) && !overwrite) {
      throw new AwsError(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    }
    const parameter = this.#put(definition);
    await this.#file.save();
    return parameter;
  }

  #put({ name, type, value, description }: ParameterDefinition): Parameter {
    let parameter = this.find(name);
    if (!parameter) {
      parameter = { name, arn: this.arnOf(name), type, value, version: 0, modifiedAt: 0 };
      this.#file.state.parameters.push(parameter);
    }
    Object.assign(parameter, { type, value, version: parameter.version + 1, modifiedAt: Date.now() });
    if (description !== undefined) parameter.description = description;
    return parameter;
  }
}
