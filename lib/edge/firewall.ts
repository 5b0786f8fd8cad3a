import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';

export interface FirewallProps {
  /** Name of the environment, part of the metrics' names. */
  environment: string;
  /** Requests from one address within 5 minutes beyond which it is blocked. */
  requestsPer5Minutes: number;
}

/** A web ACL for a distribution: addresses of bad repute, known exploits, common attacks, and too many requests. */
export class Firewall extends Construct {
  /** ARN, as the distribution takes it. */
  readonly arn: string;

  constructor(scope: Construct, id: string, { environment, requestsPer5Minutes }: FirewallProps) {
    super(scope, id);
    const visible = (rule: string): wafv2.CfnWebACL.VisibilityConfigProperty => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
      metricName: `mainstay-${environment}-${rule}`,
    });
    const managed = (
      name: string,
      priority: number,
      countOnly: string[] = [],
    ): wafv2.CfnWebACL.RuleProperty => ({
      name,
      priority,
      overrideAction: { none: {} },
      visibilityConfig: visible(name),
      statement: {
        managedRuleGroupStatement: {
          vendorName: 'AWS',
          name,
          ...(countOnly.length > 0 && {
            ruleActionOverrides: countOnly.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
          }),
        },
      },
    });
    const acl = new wafv2.CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visible('all'),
      rules: [
        {
          name: 'RequestsPerAddress',
          priority: 0,
          action: { block: {} },
          visibilityConfig: visible('RequestsPerAddress'),
          statement: { rateBasedStatement: { limit: requestsPer5Minutes, aggregateKeyType: 'IP' } },
        },
        managed('AWSManagedRulesAmazonIpReputationList', 1),
        managed('AWSManagedRulesKnownBadInputsRuleSet', 2),
        // It refuses bodies above 8 KB, which traces and batches of metrics are.
        managed('AWSManagedRulesCommonRuleSet', 3, ['SizeRestrictions_BODY']),
      ],
    });
    this.arn = acl.attrArn;
  }
}
