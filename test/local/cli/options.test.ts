import { describe, expect, it } from '@jest/globals';
import { parseOptions } from '../../../local/cli/options.ts';

describe('the command line of npm start', () => {
  it('has defaults for everything', () => {
    expect(parseOptions([])).toEqual({
      fresh: false,
      logs: false,
      help: false,
      port: 4580,
      awsPort: 4566,
      edgePort: 4590,
      state: '.mainstay',
      environment: 'local',
      context: {},
    });
  });

  it('takes context like the CDK CLI', () => {
    expect(parseOptions(['-c', 'a=1', '--context', 'b=x=y']).context).toEqual({ a: '1', b: 'x=y' });
  });

  it.each([
    [['--port', '70000'], '--port takes a port'],
    [['--port', 'x'], '--port takes a port'],
    [['--aws-port', '-1'], '--aws-port'],
    [['-c', 'nothing'], '--context takes key=value'],
    [['--frsh'], '--frsh'],
  ])('refuses %j and says why', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
