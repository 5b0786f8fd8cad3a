/** Where the values come from that a template only names. */
export interface Scope {
  region: string;
  accountId: string;
  stackName: string;
  mappings: Record<string, Record<string, Record<string, unknown>>>;
  conditions: Record<string, unknown>;
  /** The value of `Ref` for a resource or parameter. */
  ref(logicalId: string): unknown;
  /** The value of `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): unknown;
  /** The value of `Fn::ImportValue`. */
  importValue(exportName: string): unknown;
  /** The value of `Fn::GetStackOutput`. */
  stackOutput(stackName: string, outputName: string): unknown;
}

/** What a property resolves to when it is `AWS::NoValue`: it is left out. */
const noValue = Symbol('AWS::NoValue');

/**
 * Resolves CloudFormation's intrinsic functions in a value of a template.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 * @throws for an intrinsic function that is not known, naming it: a template is never half understood.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  const resolved = resolveValue(value, scope);
  return resolved === noValue ? undefined : resolved;
}

function resolveValue(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => resolveValue(item, scope)).filter((item) => item !== noValue);
  }
  if (!isRecord(value)) return value;
  const [name, ...others] = Object.keys(value);
  if (name !== undefined && others.length === 0 && isIntrinsic(name)) return call(name, value[name], scope);
  const entries = Object.entries(value).map(([key, item]) => [key, resolveValue(item, scope)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== noValue));
}

function isIntrinsic(name: string): boolean {
  return name === 'Ref' || name === 'Condition' || name.startsWith('Fn::');
}

function call(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return reference(String(argument), scope);
    case 'Condition':
      return condition(String(argument), scope);
    case 'Fn::GetAtt': {
      const [logicalId, attribute] =
        typeof argument === 'string' ? splitOnce(argument, '.') : list(argument, name);
      return scope.attribute(String(logicalId), String(resolveValue(attribute, scope)));
    }
    case 'Fn::Join': {
      const [separator, parts] = list(argument, name);
      return list(resolveValue(parts, scope), name).map(String).join(String(separator));
    }
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::Select': {
      const [index, items] = list(argument, name);
      return list(resolveValue(items, scope), name)[Number(resolveValue(index, scope))];
    }
    case 'Fn::Split': {
      const [separator, text] = list(argument, name);
      return String(resolveValue(text, scope)).split(String(separator));
    }
    case 'Fn::If': {
      const [conditionName, then, otherwise] = list(argument, name);
      return resolveValue(condition(String(conditionName), scope) ? then : otherwise, scope);
    }
    case 'Fn::Equals': {
      const [left, right] = list(argument, name);
      return String(resolveValue(left, scope)) === String(resolveValue(right, scope));
    }
    case 'Fn::And':
      return list(argument, name).every((item) => resolveValue(item, scope) === true);
    case 'Fn::Or':
      return list(argument, name).some((item) => resolveValue(item, scope) === true);
    case 'Fn::Not':
      return resolveValue(list(argument, name)[0], scope) !== true;
    case 'Fn::FindInMap': {
      const [map, first, second] = list(resolveValue(argument, scope), name).map(String);
      const found = scope.mappings[map ?? '']?.[first ?? '']?.[second ?? ''];
      if (found === undefined) throw new Error(`The template has no mapping ${map}.${first}.${second}.`);
      return found;
    }
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => `${scope.region}${zone}`);
    case 'Fn::Base64':
      return Buffer.from(String(resolveValue(argument, scope))).toString('base64');
    case 'Fn::ImportValue':
      return scope.importValue(String(resolveValue(argument, scope)));
    case 'Fn::GetStackOutput': {
      const target = resolveValue(argument, scope);
      if (!isRecord(target)) throw new Error('Fn::GetStackOutput takes an object.');
      return scope.stackOutput(String(target.StackName), String(target.OutputName));
    }
    default:
      throw new Error(`The local runtime does not resolve the intrinsic function ${name}.`);
  }
}

function reference(name: string, scope: Scope): unknown {
  switch (name) {
    case 'AWS::NoValue':
      return noValue;
    case 'AWS::Region':
      return scope.region;
    case 'AWS::AccountId':
      return scope.accountId;
    case 'AWS::Partition':
      return 'aws';
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    case 'AWS::StackName':
      return scope.stackName;
    case 'AWS::StackId':
      return stackId(scope);
    case 'AWS::NotificationARNs':
      return [];
    default:
      return scope.ref(name);
  }
}

/** The ARN of a stack on this machine. */
export function stackId(scope: Pick<Scope, 'region' | 'accountId' | 'stackName'>): string {
  return `arn:aws:cloudformation:${scope.region}:${scope.accountId}:stack/${scope.stackName}/local`;
}

function condition(name: string, scope: Scope): boolean {
  if (!(name in scope.conditions)) throw new Error(`The template has no condition ${name}.`);
  return resolveValue(scope.conditions[name], scope) === true;
}

/** True when a resource or output with this condition is to be created. */
export function conditionHolds(name: string | undefined, scope: Scope): boolean {
  return name === undefined || condition(name, scope);
}

function substitute(argument: unknown, scope: Scope): string {
  const [text, variables] = typeof argument === 'string' ? [argument, {}] : list(argument, 'Fn::Sub');
  const own = isRecord(variables) ? variables : {};
  return String(text).replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (name in own) return String(resolveValue(own[name], scope));
    if (name.startsWith('AWS::') || !name.includes('.')) return String(reference(name, scope));
    const [logicalId, attribute] = splitOnce(name, '.');
    return String(scope.attribute(logicalId, attribute));
  });
}

/** The logical ids that a value refers to, in any of the forms that create a dependency. */
export function referencedIds(value: unknown): Set<string> {
  const ids = new Set<string>();
  const visit = (item: unknown): void => {
    if (Array.isArray(item)) {
      for (const part of item) visit(part);
      return;
    }
    if (!isRecord(item)) return;
    for (const [key, part] of Object.entries(item)) {
      if (key === 'Ref' && typeof part === 'string') ids.add(part);
      else if (key === 'Fn::GetAtt')
        ids.add(String(Array.isArray(part) ? part[0] : splitOnce(String(part), '.')[0]));
      else if (key === 'Fn::Sub') {
        const text = Array.isArray(part) ? String(part[0]) : String(part);
        for (const match of text.matchAll(/\$\{([^!}.][^}.]*)/g)) ids.add(match[1] ?? '');
        if (Array.isArray(part)) visit(part[1]);
      } else visit(part);
    }
  };
  visit(value);
  return ids;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${name} takes a list.`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
