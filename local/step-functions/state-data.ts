import { fillTemplate, placeResult, type Scope, selectPath } from './data-flow.ts';
import type { Json } from './json.ts';

interface Filters {
  InputPath?: string | null | undefined;
  Parameters?: Json | undefined;
  ResultSelector?: Json | undefined;
  ResultPath?: string | null | undefined;
  OutputPath?: string | null | undefined;
}

/** A state's effective input: `InputPath`, then `Parameters`. */
export function prepare(state: Filters, scope: Scope): Json {
  const input = selectPath(state.InputPath, scope);
  return state.Parameters === undefined ? input : fillTemplate(state.Parameters, { ...scope, input });
}

/** A state's output: `ResultSelector`, `ResultPath` into the raw input, then `OutputPath`. */
export function finish(state: Filters, scope: Scope, result: Json): Json {
  const selected =
    state.ResultSelector === undefined
      ? result
      : fillTemplate(state.ResultSelector, { ...scope, input: result });
  const output = placeResult(state.ResultPath, scope.input, selected);
  return selectPath(state.OutputPath, { ...scope, input: output });
}
