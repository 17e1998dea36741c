// Prints docs/configuration.md: node server/node/config-docs.ts > docs/configuration.md
import { z } from 'zod';
import { configFields, unwrapped } from './config.ts';
import { configSchema } from './config-schema.ts';

const INTRODUCTION = `# Configuration of a server

<!-- Written by server/node/config-docs.ts from the schema; a test compares. -->

\`evenkeel server --config FILE\` reads one JSON file. A field may also be set in the environment
(\`EVENKEEL_\` and the field's name in capitals, groups and words joined by \`_\`:
\`EVENKEEL_CONSENSUS_HEARTBEAT_MS\`), with lists written as JSON. The environment goes before the file. A field that is
not listed here is refused, in the file and in the environment.

The rows of \`zones\`, \`units\` and \`consensus\` must be the same on all servers, and each server in the zone that the
others know it in: a server whose \`zones\`, \`units\` or places are not as the cluster was made with does not start
(\`topology_differs\`). \`servers\` names those that the cluster began with; \`evenkeel member add\` brings in more, and a
new one is configured with \`join\`, itself and the addresses of the others.

\`ledgers\` only seeds a new cluster: from then on the cluster's registry says which ledgers there are, and
\`evenkeel ledger add\` and \`evenkeel ledger list\` change and show it. A configuration may name fewer. Ledgers that
it names and that nobody has added are not added by it: the server says so when it starts. A ledger that it defines
otherwise than the registry does (currency or scale) is refused as \`topology_differs\`, for amounts would be read wrong.
`;

export function configurationMarkdown(): string {
  const lists = Object.entries(configSchema.shape).flatMap(([name, schema]) => {
    const list = unwrapped(schema as z.ZodType);
    if (list.type !== 'array') return [];
    const row = (list as z.ZodArray<z.ZodObject>).element;
    return [`## A row of \`${name}\`\n\n${rowTable(row)}`];
  });
  return `${[INTRODUCTION, fieldTable(), ...lists].join('\n')}`;
}

function fieldTable(): string {
  const rows = configFields().map(({ path, schema }) => [
    `\`${path}\``,
    typeOf(schema),
    defaultOf(schema),
    textOf(schema),
  ]);
  return table(['field', 'type', 'default', 'meaning'], rows);
}

function rowTable(row: z.ZodObject): string {
  const rows = Object.entries(row.shape).map(([name, schema]) => {
    const optional = isOptional(schema as z.ZodType) ? 'yes' : '';
    return [`\`${name}\``, typeOf(schema as z.ZodType), optional, textOf(schema as z.ZodType)];
  });
  return table(['field', 'type', 'optional', 'meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

function textOf(schema: z.ZodType): string {
  const { description } = schema.meta() ?? {};
  if (description === undefined) throw new Error('a field of the configuration has no description');
  return description;
}

function defaultOf(schema: z.ZodType): string {
  const { defaultValue } = schema.def as { defaultValue?: unknown };
  if (defaultValue === undefined) return isOptional(schema) ? 'none' : 'required';
  const text = JSON.stringify(defaultValue);
  return typeof defaultValue === 'object' ? `\`${text}\`` : text;
}

function isOptional(schema: z.ZodType): boolean {
  return schema.type === 'optional';
}

/** Kind, range and unit. */
function typeOf(schema: z.ZodType): string {
  const inner = unwrapped(schema);
  const unit = schema.meta()?.unit;
  const { minimum, maximum } = z.toJSONSchema(inner) as { minimum?: number; maximum?: number };
  const kind =
    inner.type === 'union' ? 'text or integer' : inner.type === 'string' ? 'text' : inner.type;
  const whole = kind === 'number' && (inner as z.ZodNumber).isInt ? 'integer' : kind;
  const range = minimum === undefined ? '' : ` ${minimum}..${maximum ?? ''}`;
  return `${whole}${range}${typeof unit === 'string' ? ` ${unit}` : ''}`;
}

if (import.meta.main) process.stdout.write(configurationMarkdown());
