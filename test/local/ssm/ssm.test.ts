import {
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SsmService } from '../../../local/ssm/ssm-service.ts';
import { allow, type EmulatedAws, startAws } from '../aws/emulated-aws.ts';

let aws: EmulatedAws;
let ssm: SsmService;
let client: SSMClient;

beforeAll(async () => {
  aws = await startAws(({ directory }) => {
    ssm = new SsmService({ directory });
    return [ssm.api];
  });
  client = new SSMClient(aws.client());
});
afterAll(() => aws.close());

describe('parameters', () => {
  it('are read by name and ARN, one and many', async () => {
    const { arn } = await ssm.ensureParameter({ name: '/app/url', type: 'String', value: 'https://a' });
    const { Parameter } = await client.send(new GetParameterCommand({ Name: arn }));
    expect(Parameter).toMatchObject({ Name: '/app/url', Value: 'https://a', Version: 1, ARN: arn });
    const many = await client.send(new GetParametersCommand({ Names: ['/app/url', '/app/none'] }));
    expect(many.Parameters).toHaveLength(1);
    expect(many.InvalidParameters).toEqual(['/app/none']);
    const missing = client.send(new GetParameterCommand({ Name: '/app/none' }));
    await expect(missing).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  it('are listed below a path, page by page', async () => {
    for (const name of ['/tree/a', '/tree/b', '/tree/c/d', '/treetop']) {
      await ssm.ensureParameter({ name, type: 'String', value: name });
    }
    const list = async (input: object) => {
      const command = new GetParametersByPathCommand({ Path: '/tree', ...input });
      const { Parameters = [], NextToken } = await client.send(command);
      return { names: Parameters.map(({ Name }) => Name), NextToken };
    };
    expect((await list({})).names).toEqual(['/tree/a', '/tree/b']);
    const first = await list({ Recursive: true, MaxResults: 2 });
    const second = await list({ Recursive: true, MaxResults: 2, NextToken: first.NextToken });
    expect([...first.names, ...second.names]).toEqual(['/tree/a', '/tree/b', '/tree/c/d']);
    expect(second.NextToken).toBeUndefined();
  });

  it('change only when overwritten, and keep what was put by hand', async () => {
    const Name = '/by/hand';
    await client.send(new PutParameterCommand({ Name, Value: 'one', Type: 'String' }));
    await expect(client.send(new PutParameterCommand({ Name, Value: 'two' }))).rejects.toMatchObject({
      name: 'ParameterAlreadyExists',
    });
    const { Version } = await client.send(new PutParameterCommand({ Name, Value: 'two', Overwrite: true }));
    expect(Version).toBe(2);
    await ssm.ensureParameter({ name: '/defined', type: 'String', value: 'template' });
    await client.send(new PutParameterCommand({ Name: '/defined', Value: 'by hand', Overwrite: true }));
    await new SsmService({ directory: aws.directory }).ensureParameter({
      name: '/defined',
      type: 'String',
      value: 'template',
    });
    expect((await client.send(new GetParameterCommand({ Name: '/defined' }))).Parameter?.Value).toBe(
      'by hand',
    );
  });

  it('are not secure strings', async () => {
    const put = client.send(new PutParameterCommand({ Name: '/secret', Value: 'x', Type: 'SecureString' }));
    await expect(put).rejects.toThrow(/has no SecureString/);
  });

  it('are read by those whose role allows the parameter', async () => {
    const arn = 'arn:aws:ssm:us-east-1:000000000000:parameter/app/*';
    const reader = new SSMClient(aws.asRole(allow('ssm:GetParameter', arn)));
    await reader.send(new GetParameterCommand({ Name: '/app/url' }));
    await expect(reader.send(new GetParameterCommand({ Name: '/tree/a' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});
