import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SharedInbox } from '../../../../functions/recovery/schema/shared-inbox.ts';
import { waitFor } from '../../../support/wait-for.ts';

describe('the inbox of a thread that blocks', () => {
  let inbox: SharedInbox;
  let reader: Worker;

  beforeEach(() => {
    inbox = new SharedInbox();
    reader = new Worker(new URL('./support/inbox-reader.ts', import.meta.url), { workerData: inbox.memory });
  });
  afterEach(() => reader.terminate());

  it('hands over bytes, nothing where nothing was asked, and the end', async () => {
    const told = async (put: () => unknown) => {
      const message = once(reader, 'message');
      put();
      return (await message)[0];
    };
    expect(await told(() => inbox.put(Buffer.from('rows')))).toEqual({ taken: 'rows' });
    expect(await told(() => inbox.putNothing())).toEqual({ taken: '' });
    expect(await told(() => inbox.close())).toEqual({ ended: 'The connection to the database has ended.' });
  });

  it('goes on waiting when it is woken for what it has taken already', async () => {
    // The reader may take what is there between the writer's word and its call, which then wakes the reader's next wait.
    const word = new Int32Array(inbox.memory, 0, 1);
    await waitFor(async () => Atomics.notify(word, 0) === 1, { what: 'the reader to wait' });
    const taken = once(reader, 'message');
    inbox.put(Buffer.from('rows'));
    expect(await taken).toEqual([{ taken: 'rows' }]);
  });
});
