import { describe, expect, it } from '@jest/globals';
import { printReady } from '../../../local/cli/ready.ts';

const server = (port: number) => ({ url: `postgresql://u:p@127.0.0.1:${port}/platform`, pid: 1 });
const facts = {
  pid: 1,
  baseUrl: 'http://127.0.0.1:4580',
  adminKey: 'msk_key',
  awsEndpointUrl: 'http://127.0.0.1:4566',
  aws: { accessKeyId: 'a', secretAccessKey: 's', region: 'us-east-1' },
  shards: [{ name: 'shard-a', writer: server(5001), readers: [server(5002), server(5003)] }],
};

function printed(state: string): string {
  const lines: string[] = [];
  const plain = (text: string) => text;
  const reporter = { line: (text = '') => void lines.push(text), bold: plain, dim: plain };
  printReady(reporter, facts, { seconds: 1.23, logs: `${state}/logs`, state });
  return lines.join('\n');
}

describe('what is printed when the platform is ready', () => {
  it('says where everything is, without the passwords of databases', () => {
    const text = printed('/somewhere/.mainstay');
    expect(text).toContain('ready in 1.2 s');
    expect(text).toContain('shard-a     writer 127.0.0.1:5001, reader 127.0.0.1:5002, reader 127.0.0.1:5003');
    expect(text).toContain('/somewhere/.mainstay/logs');
    expect(text).not.toContain('u:p@');
  });

  it('gives lines that a shell takes as they are, also where the path has blanks', () => {
    expect(printed("/it's here/.mainstay")).toContain(". '/it'\\''s here/.mainstay'/aws.env; set +a;");
    expect(printed(`${process.cwd()}/.mainstay`)).toContain('. .mainstay/aws.env; set +a;');
  });
});
