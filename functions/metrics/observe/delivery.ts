import * as z from 'zod';

/** What CloudWatch Logs sends to a function: lines of one log stream, packed. */
export const logDeliverySchema = z.looseObject({ awslogs: z.looseObject({ data: z.base64() }) });
export type LogDelivery = z.output<typeof logDeliverySchema>;
