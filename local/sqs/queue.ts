import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod';

const messageSchema = z.object({
  id: z.string(),
  body: z.string(),
  sentAt: z.number(),
  receives: z.number().int(),
  /** Until when it is hidden from other receivers. */
  visibleAt: z.number(),
  receiptHandle: z.string().optional(),
});
export type Message = z.output<typeof messageSchema>;

export const queueSchema = z.object({
  retentionSeconds: z.number(),
  visibilitySeconds: z.number(),
  messages: z.array(messageSchema),
});
export type Queue = z.output<typeof queueSchema>;

/** Messages a queue keeps here; the oldest give way. */
const mostMessages = 10_000;

/** Adds a message and returns it. Messages past the queue's retention go. */
export function send(queue: Queue, body: string, now: number): Message {
  const message: Message = { id: randomUUID(), body, sentAt: now, receives: 0, visibleAt: now };
  const kept = queue.messages.filter(({ sentAt }) => sentAt > now - queue.retentionSeconds * 1000);
  queue.messages = [...kept, message].slice(-mostMessages);
  return message;
}

/** Hands out up to `most` visible messages and hides them for the visibility timeout. */
export function receive(
  queue: Queue,
  most: number,
  visibilitySeconds: number | undefined,
  now: number,
): Message[] {
  const retained = now - queue.retentionSeconds * 1000;
  const found = queue.messages
    .filter((message) => message.visibleAt <= now && message.sentAt > retained)
    .slice(0, most);
  for (const message of found) {
    message.visibleAt = now + (visibilitySeconds ?? queue.visibilitySeconds) * 1000;
    message.receives += 1;
    message.receiptHandle = randomUUID();
  }
  return found;
}

/** Removes a received message. Returns whether the handle was the latest of a message. */
export function remove(queue: Queue, receiptHandle: string): boolean {
  const before = queue.messages.length;
  queue.messages = queue.messages.filter((message) => message.receiptHandle !== receiptHandle);
  return queue.messages.length < before;
}

/** The counts that SQS calls approximate. */
export function count(queue: Queue, now: number): { visible: number; hidden: number } {
  const visible = queue.messages.filter(({ visibleAt }) => visibleAt <= now).length;
  return { visible, hidden: queue.messages.length - visible };
}

/** The digest by which SDKs check that a body arrived as it was sent. */
export function md5OfBody(body: string): string {
  return createHash('md5').update(body).digest('hex');
}
