import type { LocalJson } from './local-platform.ts';

export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

export interface ApiRequest {
  body?: unknown;
  /** Sent as it is instead of `body`. */
  text?: string;
  /** Default: the admin key. `null` sends none. */
  key?: string | null;
  headers?: Record<string, string>;
}

/** Calls the API as an operator's program would. */
export function apiClient(local: LocalJson) {
  return async (method: string, path: string, request: ApiRequest = {}): Promise<ApiAnswer> => {
    const key = request.key === undefined ? local.adminKey : request.key;
    const text = request.text ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
    const response = await fetch(`${local.baseUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    const json = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(answer) : answer };
  };
}
export type ApiClient = ReturnType<typeof apiClient>;
