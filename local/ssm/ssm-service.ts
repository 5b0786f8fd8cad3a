import * as z from 'zod';
import type { JsonApi } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { AwsError, type Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import { type Parameter, type ParameterDefinition, ParameterStore } from './parameter-store.ts';

export interface SsmOptions {
  /** Parameters are kept here in `parameters.json`, mode 0600. */
  directory: string;
  /** Default `000000000000`. */
  accountId?: string;
  /** Default `us-east-1`. */
  region?: string;
}

const name = z.string().min(1).max(2048);
const decryption = z.boolean().optional();
const getSchema = z.strictObject({ Name: name, WithDecryption: decryption });
const getManySchema = z.strictObject({ Names: z.array(name).min(1).max(10), WithDecryption: decryption });
const byPathSchema = z.strictObject({
  Path: z.string().startsWith('/'),
  Recursive: z.boolean().default(false),
  WithDecryption: decryption,
  MaxResults: z.int().min(1).max(10).default(10),
  NextToken: z.string().optional(),
});
const putSchema = z.strictObject({
  Name: z
    .string()
    .regex(/^[\w./-]+$/)
    .max(1011),
  Value: z.string().min(1).max(4096),
  Type: z
    .enum(['String', 'StringList'], { error: 'the local runtime has no SecureString; use String' })
    .optional(),
  Overwrite: z.boolean().default(false),
  Description: z.string().max(1024).optional(),
});

/** Parameters of Systems Manager, without `SecureString`. */
export class SsmService {
  readonly api: JsonApi;
  readonly #store: ParameterStore;

  constructor(options: SsmOptions) {
    this.#store = new ParameterStore(
      options.directory,
      options.accountId ?? '000000000000',
      options.region ?? 'us-east-1',
    );
    this.api = {
      protocol: 'json',
      signingName: 'ssm',
      targetPrefix: 'AmazonSSM',
      operations: operations(this.#store),
    };
  }

  /** Creates a parameter, or replaces its value when the definition changed; a value put by hand stays otherwise. */
  async ensureParameter(definition: ParameterDefinition): Promise<{ name: string; arn: string }> {
    const { name: given, arn } = await this.#store.ensure(definition);
    return { name: given, arn };
  }
}

function operations(store: ParameterStore): Record<string, Operation> {
  const on = (action: string, reference: string) => ({
    action: `ssm:${action}`,
    resource: store.arnOf(reference),
  });
  return {
    GetParameter: defineOperation('ssm:GetParameter', getSchema, {
      authorize: ({ Name }) => [on('GetParameter', Name)],
      run: ({ Name }) => {
        const parameter = store.find(Name);
        if (!parameter) throw new AwsError('ParameterNotFound', `The parameter ${Name} does not exist.`);
        return { Parameter: describe(parameter) };
      },
    }),
    GetParameters: defineOperation('ssm:GetParameters', getManySchema, {
      authorize: ({ Names }) => Names.map((reference) => on('GetParameters', reference)),
      run: ({ Names }) => {
        const found = Names.map((reference) => store.find(reference)).filter(
          (parameter) => parameter !== undefined,
        );
        return {
          Parameters: found.map(describe),
          InvalidParameters: Names.filter((reference) => store.find(reference) === undefined),
        };
      },
    }),
    GetParametersByPath: defineOperation('ssm:GetParametersByPath', byPathSchema, {
      authorize: ({ Path }) => [on('GetParametersByPath', Path.replace(/\/$/, ''))],
      run: ({ Path, Recursive, MaxResults, NextToken }) => {
        const prefix = Path.endsWith('/') ? Path : `${Path}/`;
        const below = store
          .parameters()
          .filter((parameter) => parameter.name.startsWith(prefix))
          .filter((parameter) => Recursive || !parameter.name.slice(prefix.length).includes('/'));
        const options = {
          keyOf: (parameter: Parameter) => parameter.name,
          limit: MaxResults,
          token: NextToken,
        };
        const { items, next } = page(below, { ...options, invalidToken: 'InvalidNextToken' });
        return { Parameters: items.map(describe), NextToken: next };
      },
    }),
    PutParameter: defineOperation('ssm:PutParameter', putSchema, {
      authorize: ({ Name }) => [on('PutParameter', Name)],
      run: async ({ Name, Value, Type, Overwrite, Description }) => {
        const type = Type ?? store.find(Name)?.type;
        if (!type) throw new AwsError('ValidationException', 'A new parameter needs a Type.');
        const description = Description === undefined ? {} : { description: Description };
        const parameter = await store.put({ name: Name, type, value: Value, ...description }, Overwrite);
        return { Version: parameter.version, Tier: 'Standard' };
      },
    }),
  };
}

function describe(parameter: Parameter): Record<string, unknown> {
  return {
    Name: parameter.name,
    Type: parameter.type,
    Value: parameter.value,
    Version: parameter.version,
    LastModifiedDate: new Date(parameter.modifiedAt),
    ARN: parameter.arn,
    DataType: 'text',
  };
}
