import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListAliasesCommand,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lambdaApi } from '../../../local/lambda/api.ts';
import { allow, type EmulatedAws, startAws } from '../aws/emulated-aws.ts';
import { arnOf, LambdaFixture, until } from './fixture.ts';

let aws: EmulatedAws;
let client: LambdaClient;
const fixture = new LambdaFixture();

beforeAll(async () => {
  await fixture.host.start();
  await fixture.define(
    'echo',
    "export const handler = async (event, context) => { console.log('called'); if (event.fail) throw new Error('no'); return { event, client: context.clientContext, trace: process.env._X_AMZN_TRACE_ID }; };",
    { aliases: { live: '7' }, description: 'says it again' },
  );
  await fixture.define('other', 'export const handler = async () => 1;');
  aws = await startAws(() => [lambdaApi(fixture.host)]);
  client = new LambdaClient(aws.client());
});
afterAll(async () => {
  client.destroy();
  await aws.close();
  await fixture.end();
});

const payloadOf = (payload: Uint8Array | undefined): unknown =>
  JSON.parse(Buffer.from(payload ?? []).toString() || 'null');

describe('the Lambda API', () => {
  it('invokes a function and gives its result, version and the tail of its log', async () => {
    const result = await client.send(
      new InvokeCommand({
        FunctionName: 'echo',
        Qualifier: 'live',
        LogType: 'Tail',
        ClientContext: Buffer.from('{"custom":1}').toString('base64'),
        Payload: '{"é":1}',
      }),
    );
    expect(result).toMatchObject({ StatusCode: 200, ExecutedVersion: '7' });
    expect(result.FunctionError).toBeUndefined();
    expect(payloadOf(result.Payload)).toMatchObject({ event: { é: 1 }, client: { custom: 1 } });
    expect(Buffer.from(result.LogResult ?? '', 'base64').toString()).toContain('\tINFO\tcalled\n');
    expect(fixture.reports.at(-1)?.requestId).toBe(result.$metadata.requestId);
  });

  it('tells that a function failed', async () => {
    const result = await client.send(new InvokeCommand({ FunctionName: 'echo', Payload: '{"fail":true}' }));
    expect(result).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(payloadOf(result.Payload)).toMatchObject({ errorType: 'Error', errorMessage: 'no' });
  });

  it('accepts events, and tries without running', async () => {
    const before = fixture.reports.length;
    const tried = await client.send(
      new InvokeCommand({ FunctionName: arnOf('echo'), InvocationType: 'DryRun' }),
    );
    expect(tried.StatusCode).toBe(204);
    const accepted = await client.send(
      new InvokeCommand({ FunctionName: 'echo', InvocationType: 'Event', Payload: '{}' }),
    );
    expect(accepted.StatusCode).toBe(202);
    await until(() => fixture.reports.length > before);
    expect(fixture.reports.slice(before)).toMatchObject([
      { asynchronous: true, requestId: accepted.$metadata.requestId },
    ]);
  });

  it('lets a role invoke only what it was granted, qualifier included', async () => {
    const role = new LambdaClient(aws.asRole(allow('lambda:InvokeFunction', `${arnOf('echo')}:live`)));
    await role.send(new InvokeCommand({ FunctionName: 'echo:live', InvocationType: 'DryRun' }));
    await expect(role.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`lambda:InvokeFunction on resource: "${arnOf('echo')}"`),
      $metadata: { httpStatusCode: 403 },
    });
    await expect(role.send(new ListFunctionsCommand({}))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    role.destroy();
  });

  it('names what is wrong with a request', async () => {
    await expect(client.send(new InvokeCommand({ FunctionName: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(
      client.send(new InvokeCommand({ FunctionName: 'echo', Payload: 'no json' })),
    ).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
    });
    await expect(
      client.send(new InvokeCommand({ FunctionName: 'echo:live', Qualifier: 'other' })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(
      client.send(new InvokeCommand({ FunctionName: 'echo', Payload: `"${'x'.repeat(7 << 20)}"` })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } });
  });

  it('lists and describes functions', async () => {
    const { Functions = [], NextMarker } = await client.send(new ListFunctionsCommand({ MaxItems: 1 }));
    expect(Functions.map(({ FunctionName }) => FunctionName)).toEqual(['echo']);
    const next = await client.send(new ListFunctionsCommand({ Marker: NextMarker }));
    expect(next.Functions?.map(({ FunctionName }) => FunctionName)).toEqual(['other']);
    const { Configuration, Code } = await client.send(new GetFunctionCommand({ FunctionName: 'echo' }));
    expect(Configuration).toMatchObject({
      FunctionArn: arnOf('echo'),
      Description: 'says it again',
      Runtime: 'nodejs24.x',
      MemorySize: 256,
      Timeout: 10,
      Handler: 'index.handler',
      CodeSha256: expect.stringMatching(/^.{43}=$/),
    });
    expect(Code?.Location).toMatch(/^file:/);
    expect(
      await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'echo', Qualifier: 'live' })),
    ).toMatchObject({
      FunctionArn: `${arnOf('echo')}:live`,
      Version: '7',
    });
  });

  it('changes the settings of a function, whose processes are then new ones', async () => {
    await fixture.define(
      'changing',
      'export const handler = async () => [process.pid, process.env.COLOUR];',
      {
        environment: { COLOUR: 'red' },
      },
    );
    const before = await fixture.call('changing');
    expect(before).toEqual([expect.any(Number), 'red']);
    const Environment = { Variables: { COLOUR: 'blue' } };
    expect(
      await client.send(
        new UpdateFunctionConfigurationCommand({ FunctionName: 'changing', Environment, Timeout: 20 }),
      ),
    ).toMatchObject({ Environment, Timeout: 20, MemorySize: 256 });
    const after = await fixture.call('changing');
    expect(after).toEqual([expect.any(Number), 'blue']);
    expect(after).not.toEqual(before);
    await expect(
      client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'changing', Timeout: 901 })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(
      client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'changing', Layers: ['x'] })),
    ).rejects.toMatchObject({ message: expect.stringContaining('Layers') });
    const role = new LambdaClient(aws.asRole(allow('lambda:InvokeFunction', '*')));
    await expect(
      role.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'changing', Timeout: 3 })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('names an operation that is not emulated', async () => {
    await expect(client.send(new ListAliasesCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
      name: 'NotEmulated',
      message: expect.stringContaining('lambda:ListAliases'),
    });
  });

  it('can be called in-process with the same checks', async () => {
    const role = {
      kind: 'role',
      arn: 'arn:aws:sts::000000000000:assumed-role/nobody/x',
      roleArn: 'arn:aws:iam::000000000000:role/nobody',
    } as const;
    const operator = { kind: 'operator', arn: 'arn:aws:iam::000000000000:user/operator' } as const;
    const input = { FunctionName: 'other', Payload: '{}' };
    expect(await aws.endpoint.call(operator, 'lambda', 'Invoke', input)).toMatchObject({
      StatusCode: 200,
      Payload: '1',
    });
    await expect(aws.endpoint.call(role, 'lambda', 'Invoke', input)).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
  });
});
