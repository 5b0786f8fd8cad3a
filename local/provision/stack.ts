import type { Assembly, AssemblyStack } from '../assembly/assembly.ts';
import { conditionHolds, referencedIds, resolve, type Scope } from '../assembly/intrinsics.ts';
import type { ProvisionedResource, ResourceHandler } from './resource.ts';

export interface StackEnvironment {
  region: string;
  accountId: string;
  assembly: Assembly;
  /** Finds the handler of a resource type; undefined for one that the runtime does not know. */
  handlerOf(type: string): ResourceHandler | undefined;
  /** Values of SSM parameters that templates take as parameters. */
  parameter(name: string): string | undefined;
  /** Values exported by stacks created before, by export name. */
  exports: Map<string, unknown>;
  /** Outputs of stacks created before, by `stack/output`. */
  outputs: Map<string, unknown>;
  /** No further resource is begun once it is aborted. */
  signal?: AbortSignal;
  /** Called after each resource with how many there are, and how many there will be. */
  onCreated?: (created: number, wanted: number) => void;
}

/**
 * Creates the resources of one stack, each as soon as everything it refers to is there, and
 * records the stack's outputs and exports.
 *
 * @returns the stack's outputs.
 * @throws for a resource type or attribute the runtime does not know, naming it, and when a
 *   resource cannot be created.
 */
export async function createStack(
  stack: AssemblyStack,
  environment: StackEnvironment,
): Promise<Record<string, unknown>> {
  const created = new Map<string, ProvisionedResource>();
  const scope = stackScope(stack, environment, created);
  const wanted = Object.entries(stack.template.Resources).filter(([, resource]) =>
    conditionHolds(resource.Condition, scope),
  );
  requireKnownTypes(wanted, environment);

  const running = new Map<string, Promise<void>>();
  const create = (logicalId: string, path: readonly string[] = []): Promise<void> => {
    if (path.includes(logicalId)) {
      throw new Error(
        `The stack ${stack.name} has a circular dependency: ${[...path, logicalId].join(' → ')}.`,
      );
    }
    const started = running.get(logicalId);
    if (started !== undefined) return started;
    const resource = stack.template.Resources[logicalId];
    if (resource === undefined) return Promise.resolve();
    const needs = [...referencedIds(resource.Properties), ...[resource.DependsOn ?? []].flat()]
      .filter((id) => wanted.some(([other]) => other === id))
      .map((id) => create(id, [...path, logicalId]));
    const done = Promise.all(needs).then(async () => {
      environment.signal?.throwIfAborted();
      const handler = environment.handlerOf(resource.Type);
      if (handler === undefined) return;
      const properties = asRecord(resolve(resource.Properties, scope));
      const request = {
        stackName: stack.name,
        logicalId,
        type: resource.Type,
        properties,
        assembly: environment.assembly,
      };
      try {
        created.set(logicalId, await handler(request));
        environment.onCreated?.(created.size, wanted.length);
      } catch (error) {
        throw new Error(`${resource.Type} ${stack.name}/${logicalId}: ${message(error)}`, { cause: error });
      }
    });
    running.set(logicalId, done);
    return done;
  };
  const outcomes = await Promise.allSettled(wanted.map(([logicalId]) => create(logicalId)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;

  const outputs: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(stack.template.Outputs)) {
    if (!conditionHolds(output.Condition, scope)) continue;
    outputs[name] = resolve(output.Value, scope);
    environment.outputs.set(`${stack.name}/${name}`, outputs[name]);
    if (output.Export !== undefined)
      environment.exports.set(String(resolve(output.Export.Name, scope)), outputs[name]);
  }
  return outputs;
}

function stackScope(
  stack: AssemblyStack,
  environment: StackEnvironment,
  created: ReadonlyMap<string, ProvisionedResource>,
): Scope {
  return {
    region: environment.region,
    accountId: environment.accountId,
    stackName: stack.name,
    mappings: stack.template.Mappings,
    conditions: stack.template.Conditions,
    ref(logicalId) {
      const parameter = stack.template.Parameters[logicalId];
      if (parameter !== undefined) {
        const fallback = String(parameter.Default ?? '');
        return parameter.Type.startsWith('AWS::SSM::')
          ? (environment.parameter(fallback) ?? fallback)
          : fallback;
      }
      return found(created.get(logicalId), `${stack.name} has no resource ${logicalId}`).ref;
    },
    attribute(logicalId, name) {
      const resource = found(created.get(logicalId), `${stack.name} has no resource ${logicalId}`);
      const type = stack.template.Resources[logicalId]?.Type;
      return found(
        resource.attributes?.[name],
        `${type} has no attribute ${name} in the local runtime (${logicalId})`,
      );
    },
    importValue: (name) => found(environment.exports.get(name), `No stack exports ${name}`),
    stackOutput: (stackName, output) =>
      found(
        environment.outputs.get(`${stackName}/${output}`),
        `The stack ${stackName} has no output ${output}`,
      ),
  };
}

function requireKnownTypes(
  resources: readonly (readonly [string, { Type: string }])[],
  environment: StackEnvironment,
): void {
  const unknown = new Set(
    resources.map(([, { Type }]) => Type).filter((type) => environment.handlerOf(type) === undefined),
  );
  if (unknown.size > 0) {
    throw new Error(`The local runtime does not know the resource type ${[...unknown].sort().join(', ')}.`);
  }
}

function found<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Error(`${otherwise}.`);
  return value;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
