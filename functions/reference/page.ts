import { problemKinds } from '../shared/problem.ts';

/** What each kind of problem means, for whoever follows the `type` of an answer. */
const problems = Object.entries(problemKinds)
  .map(
    ([kind, { status, title, meaning }]) =>
      `<dt id="problem-${kind}">${status} ${title}</dt><dd>${meaning}</dd>`,
  )
  .join('\n');

/** The page at `/docs`. Scripts and styles are files of this API, so its policy needs no exception for scripts. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mainstay API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<main id="api"></main>
<noscript>The interactive documentation needs JavaScript; <a href="/openapi.json">the description itself</a> does not.</noscript>
<section class="problems">
<h2>Problems</h2>
<p>The <code>type</code> of an error answer leads here.</p>
<dl>
${problems}
</dl>
</section>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
`;

/** Starts Swagger UI on the API's own description. Keys typed into it stay in the page's memory. */
export const pageScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

export const pageStyle = `body { margin: 0; background: #fff; color: #222; font-family: sans-serif; }
.problems { max-width: 1420px; margin: 2rem auto; padding: 0 20px; box-sizing: border-box; }
.problems dt { font-weight: 600; margin-top: 1rem; }
.problems dd { margin: 0.25rem 0 0; }
.problems :target { background: #fff3c4; }
`;

/** Swagger UI sets inline styles and draws icons from \`data:\` URLs; scripts run from this origin only. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
