import type { ExecutionEnvironment } from './execution-environment.ts';

/** When to kill a function's process with SIGKILL, as if its machine were lost. */
export type KillPlan =
  /** Once a process has been given the next invocation, `afterMs` later (default 0). */
  | { when: 'next-invocation'; afterMs?: number }
  /** All processes of the function that are busy, `afterMs` from now (default 0). */
  | { when: 'after'; afterMs?: number }
  /** When a line of output holds the text or matches. */
  | { when: 'log-line'; matching: string | RegExp };

/** What was killed. */
export interface Kill {
  functionName: string;
  pid: number;
  requestId: string | undefined;
}

/** A kill that is planned. */
export interface ArmedKill {
  /** Resolves with what was killed; never, when the plan is cancelled or never comes true. */
  readonly fired: Promise<readonly Kill[]>;
  cancel(): void;
}

interface Armed {
  functionName: string;
  plan: KillPlan;
  /** Its invocation has come; only the delay is left. */
  claimed: boolean;
  fire(environments: readonly ExecutionEnvironment[]): void;
}

/** Plans to kill processes of functions, for tests of what happens then. */
export class Faults {
  readonly #armed = new Set<Armed>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Plans one kill of one function. */
  arm(functionName: string, plan: KillPlan, environments: () => readonly ExecutionEnvironment[]): ArmedKill {
    const { promise, resolve } = Promise.withResolvers<readonly Kill[]>();
    const armed: Armed = {
      functionName,
      plan,
      claimed: false,
      fire: (victims) => {
        if (!this.#armed.delete(armed)) return;
        const kills = victims.map((victim) => ({
          functionName,
          pid: victim.pid ?? 0,
          requestId: victim.requestId,
        }));
        for (const victim of victims) victim.kill();
        resolve(kills);
      },
    };
    this.#armed.add(armed);
    if (plan.when === 'after') {
      this.#later(plan.afterMs ?? 0, () => {
        armed.fire(environments().filter((environment) => environment.state === 'busy'));
      });
    }
    return { fired: promise, cancel: () => this.#armed.delete(armed) };
  }

  /** An invocation has been given to a process. */
  invoked(environment: ExecutionEnvironment): void {
    for (const armed of this.#armed) {
      const { plan } = armed;
      if (armed.functionName !== environment.spec.functionName || plan.when !== 'next-invocation') continue;
      if (armed.claimed) continue;
      armed.claimed = true;
      this.#later(plan.afterMs ?? 0, () => armed.fire([environment]));
      return;
    }
  }

  /** A process has written a line. */
  wrote(environment: ExecutionEnvironment, text: string): void {
    for (const armed of this.#armed) {
      const { plan } = armed;
      if (armed.functionName !== environment.spec.functionName || plan.when !== 'log-line') continue;
      const { matching } = plan;
      if (typeof matching === 'string' ? text.includes(matching) : text.search(matching) >= 0) {
        armed.fire([environment]);
      }
    }
  }

  /** Forgets all plans. */
  clear(): void {
    this.#armed.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #later(afterMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, afterMs);
    this.#timers.add(timer);
  }
}
