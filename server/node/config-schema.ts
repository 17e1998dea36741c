import { z } from 'zod';
import { SERVER_ID_MAX } from '../../consensus/types.ts';
import { LEDGER_SCALE_MAX } from '../core/ledger-definition.ts';
import { LEDGERS_MAX } from '../core/limits.ts';

const CLUSTER_ID = /^[0-9a-f]{32}$/;
/** Names go into folder names and link rules, where a number is a server and '*' is every other zone. */
const ZONE_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const ADDRESS = /^(?:\[[0-9a-fA-F:]+\]|[^\s:[\]]+):(\d{1,5})$/;
const PORT_MAX = 65_535;
const MIB = 1 << 20;

function address(): z.ZodString {
  return z.string().refine((text) => {
    const port = Number(ADDRESS.exec(text)?.[1] ?? 0);
    return port >= 1 && port <= PORT_MAX;
  }, 'must be host:port, with a port of 1 to 65535');
}

const zoneName = z.string().regex(ZONE_NAME, 'must be a-z, 0-9 and -, and begin with a letter');
const serverId = z.int().min(1).max(SERVER_ID_MAX);
const linkEnd = z.union([zoneName, serverId, z.literal('*')], 'must be a zone, a server id or "*"');

/** As LinkRule of peers/emulation.ts. Also what the control socket takes. */
export const linkRuleSchema = z.strictObject({
  from: linkEnd.meta({
    description: 'The sender: a zone, a server id, or `*` for every server of another zone.',
  }),
  to: linkEnd.meta({ description: 'The receiver, in the same way.' }),
  bothWays: z.boolean().exactOptional().meta({ description: 'The same for the way back.' }),
  delayMs: z.number().min(0).max(60_000).exactOptional().meta({
    description: 'One-way delay. Below 1 ms an idle process takes about 1.1 ms.',
    unit: 'ms',
  }),
  jitterMs: z.number().min(0).max(60_000).exactOptional().meta({
    description: 'Up to this much more, evenly spread; order is kept.',
    unit: 'ms',
  }),
  cut: z.boolean().exactOptional().meta({ description: 'Messages vanish silently.' }),
  blackHole: z.boolean().exactOptional().meta({
    description: 'Nothing passes, and passes later when it is lifted.',
  }),
  bandwidthBytesPerSecond: z.number().min(0).exactOptional().meta({
    description: 'Of one lane; 0 is unlimited.',
    unit: 'bytes/s',
  }),
});

export const linkRulesSchema = z.array(linkRuleSchema).max(1_024);

const zoneSchema = z.strictObject({
  name: zoneName.meta({ description: 'As in `servers` and `links`.' }),
  city: z.string().min(1).meta({ description: 'Zones of one city are near each other.' }),
  leaderWeight: z.int().min(0).max(100).meta({
    description:
      'Share of the units that this zone leads when all is well; 0 leads only when it must.',
  }),
});

const serverSchema = z.strictObject({
  id: serverId.meta({ description: 'Unique, for ever: a new disk is a new server.' }),
  zone: zoneName.meta({ description: 'Where it is.' }),
  address: address().meta({ description: 'host:port that users reach it at.' }),
  peerAddress: address().meta({ description: 'host:port that the other servers reach it at.' }),
});

const ledgerSchema = z.strictObject({
  ledger: z
    .int()
    .min(1)
    .max(0xffff_ffff)
    .meta({ description: '`Account.ledger`; ISO 4217 number by custom.' }),
  currency: z.string().meta({
    description: 'ISO 4217 code, or a name of your own of 1 to 32 printable characters.',
  }),
  scale: z.int().min(0).max(LEDGER_SCALE_MAX).meta({
    description:
      'Decimal places: 1234 at scale 2 is 12.34. Of an ISO 4217 code only the one it has there.',
  }),
});

const ms = () => z.int().min(1).max(600_000);
const bytes = (min: number, max: number, preset: number) =>
  z.int().min(min).max(max).default(preset);

const consensusSchema = z.strictObject({
  tickMs: ms().default(5).meta({
    description: 'The clock of consensus; the other times are multiples of it.',
    unit: 'ms',
  }),
  heartbeatMs: ms()
    .default(50)
    .meta({ description: 'Between heartbeats of a leader.', unit: 'ms' }),
  voteRefusalMs: ms().default(300).meta({
    description:
      'A server that heard a leader so recently refuses its vote. The same on all servers.',
    unit: 'ms',
  }),
  shrinkAfterMs: ms().default(60_000).meta({
    description:
      'A unit with enough other voters leaves a zone out of them that it has not heard for so long.',
    unit: 'ms',
  }),
  candidacyCityMs: z
    .strictObject({
      min: ms()
        .default(320)
        .meta({ description: 'Shortest wait for a leader before standing.', unit: 'ms' }),
      max: ms().default(400).meta({ description: 'Longest; drawn anew each time.', unit: 'ms' }),
    })
    .prefault({})
    .meta({ description: 'Zones in a city that may lead.' }),
  candidacyRemoteMs: z
    .strictObject({
      min: ms()
        .default(1_000)
        .meta({ description: 'Shortest wait for a leader before standing.', unit: 'ms' }),
      max: ms().default(1_300).meta({ description: 'Longest; drawn anew each time.', unit: 'ms' }),
    })
    .prefault({})
    .meta({ description: 'Zones elsewhere: they stand last.' }),
});

const limitsSchema = z.strictObject({
  segmentBytes: bytes(4 * MIB, 1_024 * MIB, 64 * MIB).meta({
    description: 'Size of a file of the log.',
    unit: 'bytes',
  }),
  logCacheBytes: bytes(4 * MIB, 4_096 * MIB, 64 * MIB).meta({
    description: 'Recent log entries kept in memory for peers that lag.',
    unit: 'bytes',
  }),
  logKeepBytes: bytes(MIB, 1_048_576 * MIB, 1_024 * MIB).meta({
    description:
      'Log entries kept, all units together, for servers that come back; one that lags further copies the books.',
    unit: 'bytes',
  }),
  diskReserveBytes: bytes(0, 1_048_576 * MIB, 512 * MIB).meta({
    description:
      'With less free where the log is, this server gives away what it leads and books nothing; with less than half of it, it takes no entries either. Votes go on.',
    unit: 'bytes',
  }),
  peerQueueBytes: bytes(4 * MIB, 1_024 * MIB, 32 * MIB).meta({
    description: 'Bulk messages waiting for one peer; beyond it the oldest are dropped.',
    unit: 'bytes',
  }),
  residentTransfersMax: z.int().min(8_192).max(100_000_000).default(131_072).meta({
    description:
      'Recent transfer ids kept in memory, a unit; older ones are looked up in the books.',
  }),
});

/** Everything that one server is told. Field by field, with meaning, unit and default: also the documentation. */
export const configSchema = z.strictObject({
  clusterId: z.string().regex(CLUSTER_ID, 'must be 32 hex digits, lower case').meta({
    description: 'Which cluster this is: servers and files of another are refused. 32 hex digits.',
  }),
  server: serverId.meta({ description: 'This server: one of `servers`.' }),
  zone: zoneName.exactOptional().meta({
    description: 'Its zone. Without it that of its row in `servers`; if given it must be the same.',
  }),
  dataDir: z.string().min(1).meta({ description: 'Folder of all its data, its own alone.' }),
  listen: address().exactOptional().meta({
    description: 'host:port to take users at. Without it the `address` of its row in `servers`.',
  }),
  peerListen: address().exactOptional().meta({
    description: 'host:port to take other servers at. Without it the `peerAddress` of its row.',
  }),
  drill: z.boolean().default(false).meta({
    description:
      'Rehearsal: opens the control socket, through which anyone on this machine can cut links.',
  }),
  controlPort: z.int().min(1).max(PORT_MAX).exactOptional().meta({
    description: 'Port of the control socket on 127.0.0.1. With `drill`, and only then.',
  }),
  allowNonLoopback: z.boolean().default(false).meta({
    description:
      'Allows other addresses than this machine itself. There is no TLS yet: only on a network you trust.',
  }),
  zones: z
    .array(zoneSchema)
    .min(1)
    .default([
      { name: 'hz1', city: 'hangzhou', leaderWeight: 1 },
      { name: 'hz2', city: 'hangzhou', leaderWeight: 1 },
      { name: 'sh1', city: 'shanghai', leaderWeight: 0 },
    ])
    .meta({ description: 'The data centres. The same on all servers.' }),
  servers: z.array(serverSchema).min(1).meta({
    description:
      'The servers that the cluster began with; with `join` also this one. Later ones are in the registry.',
  }),
  join: z.boolean().default(false).meta({
    description:
      'A new server of a cluster that runs: it waits to be added by `evenkeel member add`. Matters at its first start only.',
  }),
  units: z.int().min(1).max(256).default(4).meta({
    description: 'Shards of the books. Decided when a cluster is made. The same on all servers.',
  }),
  ledgers: z
    .array(ledgerSchema)
    .min(1)
    .max(LEDGERS_MAX)
    .default([
      { ledger: 156, currency: 'CNY', scale: 2 },
      { ledger: 203, currency: 'CZK', scale: 2 },
      { ledger: 392, currency: 'JPY', scale: 0 },
      { ledger: 840, currency: 'USD', scale: 2 },
      { ledger: 978, currency: 'EUR', scale: 2 },
    ])
    .meta({
      description:
        'The ledgers that a new cluster begins with. `evenkeel ledger add` adds more, on any server.',
    }),
  links: linkRulesSchema.default([]).meta({
    description:
      'Emulated network between servers, for clusters on one machine. Empty: the real one as it is.',
  }),
  consensus: consensusSchema
    .prefault({})
    .meta({ description: 'Times of elections. The same on all servers.' }),
  limits: limitsSchema.prefault({}).meta({ description: 'What bounds memory and files.' }),
});

/** What a file may hold. */
export type ConfigInput = z.input<typeof configSchema>;
/** Checked field by field, not yet against each other. */
export type ConfigFields = z.output<typeof configSchema>;
