import * as z from 'zod';
import { openEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';

export const referenceContract = defineContract({
  name: 'reference',
  title: 'Reference',
  description: 'The description of this API, for programs and for people.',
  routes: {
    openapi: {
      method: 'GET',
      path: '/openapi.json',
      scope: 'open',
      summary: 'This API as an OpenAPI 3.1 document',
      responses: {
        200: { description: 'The document.', contentType: 'application/json' },
        304: { description: 'Not changed since the version named by `If-None-Match`.' },
      },
    },
    docs: {
      method: 'GET',
      path: '/docs',
      scope: 'open',
      summary: 'Interactive documentation',
      responses: {
        200: { description: 'The page.', contentType: 'text/html' },
        304: { description: 'Not changed since the version named by `If-None-Match`.' },
      },
    },
    docsFile: {
      method: 'GET',
      path: '/docs/{file}',
      scope: 'open',
      summary: 'A file of the interactive documentation',
      params: z.strictObject({ file: z.string().min(1).max(64) }),
      responses: {
        200: { description: 'The file.', contentType: 'application/octet-stream' },
        304: { description: 'Not changed since the version named by `If-None-Match`.' },
      },
    },
  },
  functions: {
    api: {
      environment: openEnvironment.extend({ MAINSTAY_VERSION: z.string().min(1) }),
      files: [
        'swagger-ui-dist/swagger-ui-bundle.js',
        'swagger-ui-dist/swagger-ui.css',
        'swagger-ui-dist/favicon-32x32.png',
      ],
      fallback: true,
    },
  },
});
