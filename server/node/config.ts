import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { whyNoLease } from '../../consensus/config.ts';
import { EvenkeelError } from '../core/error.ts';
import { addressesOf, isLoopback, problemsOf } from './config-checks.ts';
import { type ConfigFields, configSchema } from './config-schema.ts';

/** One server's configuration, checked and complete. */
export type ServerConfig = ConfigFields &
  Required<Pick<ConfigFields, 'zone' | 'listen' | 'peerListen'>>;

/** A field that can be set by environment and flag, and what is said of it. */
export interface ConfigField {
  /** As in the file, groups by dots: consensus.heartbeatMs. */
  readonly path: string;
  /** EVENKEEL_CONSENSUS_HEARTBEAT_MS */
  readonly env: string;
  /** --consensus-heartbeat-ms */
  readonly flag: string;
  /** What a command-line parser calls that flag: consensusHeartbeatMs. */
  readonly attribute: string;
  readonly schema: z.ZodType;
}

const ENV_PREFIX = 'EVENKEEL_';

/**
 * Reads a server's configuration: flags (by attribute) over environment over file over defaults. Throws
 * `bad_config` with every problem, by field.
 */
export function loadConfig(
  file: string,
  flags: Readonly<Record<string, string | number | boolean | undefined>> = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): ServerConfig {
  const problems: string[] = [];
  const input = readFile(file);
  const fields = configFields();
  for (const name of Object.keys(env)) {
    if (!name.startsWith(ENV_PREFIX) || fields.some((field) => field.env === name)) continue;
    problems.push(`${name}: no such field in the environment`);
  }
  for (const name of Object.keys(flags)) {
    if (!fields.some(({ attribute }) => attribute === name)) problems.push(`${name}: no such flag`);
  }
  for (const field of fields) {
    for (const [name, value] of [
      [field.env, env[field.env]],
      [field.flag, flags[field.attribute]],
    ] as const) {
      if (value === undefined) continue;
      try {
        put(input, field.path.split('.'), fromText(field.schema, value));
      } catch (error) {
        problems.push(`${field.path} (${name}): ${(error as Error).message}`);
      }
    }
  }
  if (problems.length > 0) throw badConfig(file, problems);
  return checkConfig(input, file);
}

/** The same for what was read already; `source` names it in the error. */
export function checkConfig(input: unknown, source: string): ServerConfig {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) throw badConfig(source, parsed.error.issues.flatMap(issueTexts));
  const problems = problemsOf(parsed.data);
  if (problems.length > 0) throw badConfig(source, problems);
  const self = parsed.data.servers.find(({ id }) => id === parsed.data.server)!;
  const { zones, servers, ledgers } = parsed.data;
  return {
    ...parsed.data,
    // The registry's order: two files that say the same must make the same registry.
    zones: zones.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    servers: servers.toSorted((a, b) => a.id - b.id),
    ledgers: ledgers.toSorted((a, b) => a.ledger - b.ledger),
    zone: self.zone,
    listen: parsed.data.listen ?? self.address,
    peerListen: parsed.data.peerListen ?? self.peerAddress,
  };
}

/** What should be said when a server starts with this configuration. */
export function warningsOf(config: ServerConfig): string[] {
  const open = addressesOf(config).filter(({ address }) => !isLoopback(address));
  const warnings: string[] = [];
  if (open.length > 0) {
    const names = open.map(({ field, address }) => `${field} ${address}`).join(', ');
    warnings.push(`no TLS yet: whoever reaches the network can read and book (${names})`);
  }
  if (config.drill) warnings.push('drill: anyone on this machine can cut links');
  if (config.links.length > 0) warnings.push('links: the network between servers is emulated');
  if (config.zones.length === 1) warnings.push('zones: only one, so its loss loses everything');
  return warnings;
}

/** All fields that take one value, in the order of the schema. */
export function configFields(): ConfigField[] {
  return fieldsOf(configSchema, []);
}

function fieldsOf(group: z.ZodObject, parents: readonly string[]): ConfigField[] {
  return Object.entries(group.shape).flatMap(([name, schema]) => {
    const words = [...parents, name];
    const inner = unwrapped(schema as z.ZodType);
    if (inner.type === 'object') return fieldsOf(inner as z.ZodObject, words);
    const kebab = words
      .map((word) => word.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`))
      .join('-');
    return {
      path: words.join('.'),
      env: ENV_PREFIX + kebab.replaceAll('-', '_').toUpperCase(),
      flag: `--${kebab}`,
      attribute: kebab.replace(/-(.)/g, (_, c: string) => c.toUpperCase()),
      schema: schema as z.ZodType,
    };
  });
}

/** Without what makes it optional. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  const { innerType } = schema.def as { innerType?: z.ZodType };
  return innerType === undefined ? schema : unwrapped(innerType);
}

/** Lists are written as JSON, numbers and true or false as they are. */
function fromText(schema: z.ZodType, value: string | number | boolean): unknown {
  if (typeof value !== 'string') return value;
  const { type } = unwrapped(schema);
  if (type === 'string') return value;
  if (type === 'array') return JSON.parse(value) as unknown;
  if (type === 'number' && value.trim() !== '' && Number.isFinite(Number(value)))
    return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  throw new Error(`'${value}' is no ${type}`);
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    into[name] = value;
    return;
  }
  const group = into[name];
  const isGroup = typeof group === 'object' && group !== null && !Array.isArray(group);
  const next = isGroup ? (group as Record<string, unknown>) : {};
  into[name] = next;
  put(next, rest, value);
}

function readFile(file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw badConfig(file, [(cause as Error).message], cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw badConfig(file, ['must hold one JSON object']);
}

function issueTexts(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `${[...path, key].join('.')}: ${whyNoLease(key) ?? 'no such field'}`,
    );
  }
  const message = issue.message.replace(/^Invalid input: /, '');
  return [`${path.length === 0 ? 'configuration' : path.join('.')}: ${message}`];
}

function badConfig(source: string, problems: readonly string[], cause?: unknown): EvenkeelError {
  const message = `bad_config: ${source}\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
  return new EvenkeelError('bad_config', message, { cause });
}
