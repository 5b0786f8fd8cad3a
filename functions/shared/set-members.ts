/** The part of an UpdateItem that sets every member of an item. It creates the item where there is none. */
export function setMembers(item: Readonly<Record<string, unknown>>): {
  UpdateExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, unknown>;
} {
  const members = Object.entries(item);
  return {
    UpdateExpression: `SET ${members.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(members.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(members.map(([name, value]) => [`:${name}`, value])),
  };
}
