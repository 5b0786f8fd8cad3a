import * as z from 'zod';
import type { Resource } from './support.ts';

/** A Lambda function of a template, by what tests ask about it. */
export interface FunctionInTemplate {
  /** Its logical id. */
  id: string;
  /** Logical id of its role. */
  role: string;
  properties: Record<string, unknown>;
  variables: Record<string, unknown>;
}

const functionSchema = z.looseObject({
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  Role: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
});

/** The functions of a template by `<capability>/<function>`, found by the ids that their constructs give them. */
export function functionsOf(resources: Record<string, Resource>): Map<string, FunctionInTemplate> {
  const entries = Object.entries(resources)
    .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    .map(([id, { Properties }]): [string, FunctionInTemplate] => {
      const { Environment, Role } = functionSchema.parse(Properties);
      const words = id.replace(/Function[0-9A-F]{8}$/, '').match(/[A-Z][a-z]+/g) ?? [];
      const [capability = '', ...name] = words.map((word) => word.toLowerCase());
      return [
        // The CDK leaves out what an id would repeat.
        `${capability}/${name.join('-') || capability}`,
        { id, role: Role['Fn::GetAtt'][0], properties: Properties, variables: Environment.Variables },
      ];
    });
  return new Map(entries);
}

/** One statement that a role is given. */
export interface Statement {
  /** Logical id of the role. */
  role: string;
  actions: string[];
  /** ARNs with references written as `<…>`. */
  resources: string[];
  condition: unknown;
}

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([z.array(item), item.transform((one) => [one])]);
const policySchema = z.looseObject({
  Roles: z.array(z.object({ Ref: z.string() })),
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({
        Action: oneOrMore(z.string()),
        Resource: oneOrMore(z.unknown()),
        Condition: z.unknown().optional(),
      }),
    ),
  }),
});

/** Every statement of the roles of a template. */
export function statementsOf(resources: Record<string, Resource>): Statement[] {
  return Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .flatMap(({ Properties }) => {
      const { Roles, PolicyDocument } = policySchema.parse(Properties);
      return Roles.flatMap(({ Ref }) =>
        PolicyDocument.Statement.map(({ Action, Resource, Condition }) => ({
          role: Ref,
          actions: Action,
          resources: Resource.flat().map(flatten),
          condition: Condition,
        })),
      );
    });
}

const intrinsics = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => `<${Ref}>`),
  z.object({ 'Fn::GetAtt': z.array(z.string()) }).transform((value) => `<${value['Fn::GetAtt'].join('.')}>`),
  z
    .object({ 'Fn::GetStackOutput': z.object({ OutputName: z.string() }).loose() })
    .transform((value) => `<${value['Fn::GetStackOutput'].OutputName}>`),
  z
    .object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) })
    .transform(({ 'Fn::Join': [separator, parts] }) => parts.map(flatten).join(separator)),
]);

/** A value with its intrinsic functions, as one line of text. */
export function flatten(value: unknown): string {
  return typeof value === 'string' ? value : intrinsics.parse(value);
}

/** The ids of resources that refer to each other in a circle; none where CloudFormation finds an order. */
export function circleIn(resources: Record<string, Resource>): string[] {
  const ids = new Set(Object.keys(resources));
  const referred = (value: unknown): string[] => {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, member]) => {
      if (key === 'Ref' && typeof member === 'string') return [member];
      if (key === 'Fn::GetAtt' && Array.isArray(member)) return [String(member[0])];
      if (key === 'DependsOn') return [member].flat().map(String);
      return referred(member);
    });
  };
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): string[] => {
    if (path.includes(id)) return path.slice(path.indexOf(id));
    if (done.has(id)) return [];
    for (const next of referred(resources[id]).filter((name) => ids.has(name))) {
      const circle = visit(next, [...path, id]);
      if (circle.length > 0) return circle;
    }
    done.add(id);
    return [];
  };
  for (const id of ids) {
    const circle = visit(id, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
