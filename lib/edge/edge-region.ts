/** The only region where CloudFront takes certificates, web ACLs and log deliveries from. */
export const edgeRegion = 'us-east-1';
