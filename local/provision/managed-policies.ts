const logs = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
const networkInterfaces = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** The AWS managed policies that templates attach, as far as they matter on one machine. */
const actionsOf: Readonly<Record<string, readonly string[]>> = {
  'service-role/AWSLambdaBasicExecutionRole': logs,
  'service-role/AWSLambdaVPCAccessExecutionRole': [...logs, ...networkInterfaces],
  AWSXRayDaemonWriteAccess: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSampling*'],
  'service-role/AmazonRDSEnhancedMonitoringRole': logs,
};

/**
 * The document of an AWS managed policy.
 *
 * @throws for a policy that is not listed here, naming it.
 */
export function managedPolicy(arn: string): unknown {
  const name = arn.replace(/^arn:aws:iam::aws:policy\//, '');
  const actions = actionsOf[name];
  if (actions === undefined) throw new Error(`The local runtime does not know the managed policy ${arn}.`);
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] };
}
