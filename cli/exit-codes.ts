/** What the end of `mainstay` tells a program that started it. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  noAccess: 3,
  damaged: 4,
  interrupted: 130,
} as const;
export type Outcome = keyof typeof exitCodes;

/** The part of `--help` that lists them. */
export const exitCodesHelp = `
Exit codes:
  0    done
  1    it failed, was canceled or refused; status: something is down
  2    the command line or the configuration is wrong
  3    the platform cannot be reached, or does not accept the key
  4    verify: the backup is damaged
  130  interrupted`;
