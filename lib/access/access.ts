import { Construct } from 'constructs';
import type { BundledFunction } from '../constructs/function.ts';
import type { Secrets } from '../stateful/secrets.ts';
import type { Tables } from '../stateful/tables.ts';

export interface AccessProps {
  tables: Tables;
  secrets: Secrets;
}

/** Who may call what. Functions whose routes are not open ask here who calls them. */
export class Access extends Construct {
  private readonly tables: Tables;
  private readonly secrets: Secrets;

  constructor(scope: Construct, id: string, props: AccessProps) {
    super(scope, id);
    this.tables = props.tables;
    this.secrets = props.secrets;
  }

  /** Lets a function find out who calls it. */
  grantAuthenticate(fn: BundledFunction): void {
    this.tables.access.grant(fn, ['dynamodb:GetItem']);
    this.secrets.grantReadPepper(fn);
  }

  /** Lets a function make API keys. */
  grantIssue(fn: BundledFunction): void {
    this.tables.access.grant(fn, ['dynamodb:PutItem']);
    this.secrets.grantReadPepper(fn);
  }
}
