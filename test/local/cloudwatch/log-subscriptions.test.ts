import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LogSubscriptions } from '../../../local/cloudwatch/log-subscriptions.ts';
import { waitFor } from '../../support/wait-for.ts';

const destinationArn = 'arn:aws:lambda:us-east-1:000000000000:function:observe';

interface Delivery {
  target: string;
  sourceArn: string;
  logGroup: string;
  messages: string[];
}

describe('a log subscription', () => {
  const deliveries: Delivery[] = [];
  const subscriptions = new LogSubscriptions({
    ...{ region: 'us-east-1', accountId: '000000000000', gatherMs: 20 },
    deliver: async (target, payload, { sourceArn, service }) => {
      expect(service).toBe('logs.amazonaws.com');
      const { data } = JSON.parse(JSON.stringify(payload)).awslogs;
      const { logGroup, logEvents } = JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString());
      const messages = logEvents.map(({ message }: { message: string }) => message);
      deliveries.push({ target, sourceArn, logGroup, messages });
    },
  });
  afterEach(() => subscriptions.stop());

  it('sends the lines of its group that match, packed as CloudWatch Logs packs them, in their order', async () => {
    subscriptions.ensure({ groupName: 'a', name: 'all', pattern: '"x y"', destinationArn });
    await subscriptions.start();
    for (const text of ['x y 1', 'x', 'x y 2']) subscriptions.accept('a', text, 1);
    subscriptions.accept('b', 'x y 3', 1);
    await waitFor(async () => deliveries.length > 0, { what: 'the delivery', intervalMs: 5 });
    expect(deliveries).toEqual([
      {
        target: destinationArn,
        sourceArn: 'arn:aws:logs:us-east-1:000000000000:log-group:a:*',
        logGroup: 'a',
        messages: ['x y 1', 'x y 2'],
      },
    ]);
  });

  it('is one of two of its group at most, and the same one again replaces itself', () => {
    const one = (name: string) => subscriptions.ensure({ groupName: 'c', name, pattern: '', destinationArn });
    one('first');
    one('second');
    one('first');
    expect(() => one('third')).toThrow('two subscriptions');
  });
});
