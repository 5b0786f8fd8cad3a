/** Why an attempt got no answer. */
export const deliveryErrorCodes = [
  'url-not-allowed',
  'name-not-resolved',
  'address-not-allowed',
  'timeout',
  'connection-failed',
  'tls-failed',
  'answer-broken',
] as const;
export type DeliveryErrorCode = (typeof deliveryErrorCodes)[number];

/** An attempt got no answer. The message is shown to whoever manages the endpoint. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly code: DeliveryErrorCode;

  constructor(code: DeliveryErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
