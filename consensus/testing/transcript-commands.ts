/**
 * The commands of transcripts. K is a server, KS a list like `1,2,3`, `-` for none.
 *
 *     cluster N [OPTION=VALUE...]  a new group of N servers:
 *         K=TERM,TERM...           the terms of the log that server K starts with
 *         voters=KS                the others wait to be added
 *         term=N  commit=N         of all hard states; the term is by default the last of any log
 *         zones=N,N...             of servers 1, 2, ...; each has its own by default
 *         window=N  append-bytes=N  window-bytes=N  quota-bytes=N  apply-bytes=N
 *     quietly COMMAND              does it and tells nothing
 *     elect K                      campaigns and settles, told in one line
 *
 *     unasked K                    campaigns without asking for pre-votes, as another release might
 *     campaign K | propose K TEXT | read K CONTEXT | transfer K TO | change K VOTERS [LEARNERS]
 *     forget K LEADER | unreachable K PEER | resign K | eligible K yes|no | report K PEER ok|failed
 *     compact K INDEX              drops the log up to INDEX, which the books hold
 *     books K INDEX                what its books will hold after a crash
 *
 *     settle [K...]                these servers (all) turn, and get what is on its way to them, until nothing moves
 *     tick N [K...]                N ticks, settling after each
 *     age N [K...]                 N ticks, and nothing else
 *     turn K...                    take and sync what they have to say; nothing is delivered
 *     deliver [K...]               what is on its way to them now arrives
 *     drop [K...]                  ... is lost
 *     double | reverse             what is on its way comes twice | in the opposite order
 *     slow K                       its writes end only by `sync K [N]`: the oldest N, or all
 *     fast K                       ends this
 *
 *     cut A B | cut-way FROM TO | isolate K | heal
 *     lose TYPE [TO...] [from=K]   messages of this type (to these servers) are lost until `heal`
 *     hold TYPE [TO...] [from=K]   ... are set aside until `release`
 *     crash K [N] | restart K      N: so many of its writes under way reached the disk
 *     rot K INDEX                  the disk of a crashed server has lost what lies behind INDEX, and its books
 *     impostor FROM TO TYPE TERM   sends a message by hand; FROM need not exist
 *
 *     logs | status | members | peers K | disk K | network | beats on|off
 */
import type { Message, Refusal, ServerId } from '../types.ts';
import type { ClusterOptions } from './cluster.ts';
import { entriesOf } from './node.ts';
import type { Run } from './transcript.ts';
import { forged } from './transcript-forge.ts';
import {
  entriesText,
  membershipText,
  messageText,
  peerText,
  refusalText,
} from './transcript-text.ts';

type Command = (run: Run, args: readonly string[]) => void;

/** With the server that the first argument names. */
const at =
  (act: (node: ReturnType<Run['cluster']['node']>, run: Run, rest: readonly string[]) => void) =>
  (run: Run, [id, ...rest]: readonly string[]): void =>
    act(run.cluster.node(Number(id)), run, rest);

const list = (text = '-'): ServerId[] => (text === '-' ? [] : text.split(',').map(Number));

/** Servers named one by one; all if none is. */
const named = (run: Run, args: readonly string[]): ServerId[] =>
  args.length > 0 ? args.map(Number) : run.cluster.nodes.map(({ id }) => id);

/** `TYPE [TO...] [from=K]` as a test of messages. */
function matching(run: Run, [type, ...rest]: readonly string[]): (message: Message) => boolean {
  const to = named(
    run,
    rest.filter((word) => !word.startsWith('from=')),
  );
  const from = rest.find((word) => word.startsWith('from='))?.slice('from='.length);
  return (message) =>
    message.type === type &&
    to.includes(message.to) &&
    (from === undefined || message.from === Number(from));
}

function tellRefusal(run: Run, outcome: Refusal | object | undefined): void {
  if (outcome !== undefined && 'refused' in outcome) run.say(refusalText(outcome as Refusal));
}

/** Of a server that is one of the cluster; an impostor says that it has a very long log. */
function endOfLog({ cluster }: Run, id: ServerId): { lastIndex: number; lastTerm: number } {
  if (!cluster.ids.includes(id)) return { lastIndex: 999, lastTerm: 1 };
  const { accepted } = cluster.node(id);
  return { lastIndex: accepted.lastIndex(), lastTerm: accepted.term(accepted.lastIndex()) };
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  cluster: (run, [size, ...options]) => run.start(clusterOptions(Number(size), options)),
  quietly: (run, command) => run.quietly(() => run.command(command.join(' '))),
  elect: at(({ id }, run) => {
    run.quietly(() => run.cluster.elect(id));
    const leader = run.cluster.leader();
    run.say(`${leader} leads term ${run.cluster.status(leader).term}`);
  }),

  campaign: at(({ raft }) => raft.campaign()),
  unasked: at((node, run) => {
    const { id, raft } = node;
    raft.campaign();
    run.quietly(() => node.settle());
    node.sent = node.sent.filter(({ type }) => type !== 'preVote');
    for (const from of run.cluster.ids.filter((other) => other !== id)) {
      const head = { from, to: id, term: raft.term + 1 };
      if (raft.role === 'preCandidate') raft.step(forged('preVoteReply', head, endOfLog(run, id)));
    }
  }),
  propose: at(({ id }, run, [text = '']) => tellRefusal(run, run.cluster.propose(id, text))),
  read: at(({ raft }, run, [context]) => tellRefusal(run, raft.requestRead(Number(context)))),
  transfer: at(({ raft }, run, [to]) => tellRefusal(run, raft.transferLeadership(Number(to)))),
  change: at(({ raft }, run, [voters, learners]) => {
    const target = { voters: list(voters), learners: list(learners) };
    tellRefusal(run, raft.changeMembership(target));
  }),
  forget: at(({ raft }, _, [leader]) => raft.forgetLeader(Number(leader))),
  unreachable: at(({ raft }, _, [peer]) => raft.reportUnreachable(Number(peer))),
  resign: at(({ raft }) => raft.resign()),
  eligible: at(({ raft }, _, [answer]) => raft.setEligible(answer === 'yes')),
  report: at(({ raft }, _, [peer, how]) => raft.reportSnapshot(Number(peer), how === 'ok')),
  compact: at((node, _, [index]) => node.compact(Number(index))),
  books: at((node, _, [index]) => {
    node.booksIndex = Number(index);
  }),

  settle: ({ cluster }, ids) => cluster.settle(ids.length > 0 ? ids.map(Number) : undefined),
  tick: (run, [count, ...ids]) => run.cluster.tick(Number(count), named(run, ids)),
  age: (run, [count, ...ids]) => {
    for (const id of named(run, ids))
      for (let i = 0; i < Number(count); i++) run.cluster.node(id).raft.tick();
  },
  turn: (run, ids) => run.cluster.turn(named(run, ids)),
  deliver: (run, ids) => {
    for (const message of run.cluster.takeNetwork(named(run, ids))) run.cluster.deliver(message);
  },
  drop: (run, ids) => {
    for (const message of run.cluster.takeNetwork(named(run, ids))) run.tell(message, 'lost');
  },
  double: ({ cluster }) => void cluster.network.push(...cluster.network),
  reverse: ({ cluster }) => void cluster.network.reverse(),
  slow: ({ cluster }, [id]) => void cluster.slow.add(Number(id)),
  fast: ({ cluster }, [id]) => void cluster.slow.delete(Number(id)),
  sync: at((node, _, [count]) => node.sync(count === undefined ? undefined : Number(count))),

  cut: ({ cluster }, [a, b]) => cluster.cut(Number(a), Number(b)),
  'cut-way': ({ cluster }, [from, to]) => cluster.cutOneWay(Number(from), Number(to)),
  isolate: ({ cluster }, [id]) => cluster.isolate(Number(id)),
  heal: ({ cluster }) => {
    cluster.heal();
    cluster.drop = () => false;
  },
  lose: (run, what) => {
    run.cluster.drop = matching(run, what);
  },
  hold: (run, what) => {
    run.cluster.hold = matching(run, what);
  },
  release: ({ cluster }) => cluster.release(),
  crash: ({ cluster }, [id, survivors]) => cluster.crash(Number(id), Number(survivors ?? 0)),
  restart: ({ cluster }, [id]) => cluster.restart(Number(id)),
  rot: at((node, _, [index]) => node.rot(Number(index))),
  impostor: (run, [from, to, type = '', term]) => {
    const head = { from: Number(from), to: Number(to), term: Number(term) };
    const message = forged(type, head, endOfLog(run, head.from));
    run.tell(message, 'delivered');
    run.cluster.node(message.to).raft.step(message);
  },

  logs: (run) => {
    for (const { id, accepted } of run.cluster.nodes) {
      const compacted = accepted.base > 0 ? `...${accepted.base}@${accepted.baseTerm} ` : '';
      run.say(`${id}: ${compacted}${entriesText(accepted.entriesHeld)}`.trimEnd());
    }
  },
  status: (run) => {
    for (const node of run.cluster.nodes) {
      const { role, term, leader, commit, lastIndex, recovering } = node.status();
      const state = node.alive ? `${role} term ${term} leader ${leader}` : 'down';
      const mark = recovering ? ' recovering' : '';
      run.say(`${node.id}: ${state} commit ${commit} last ${lastIndex}${mark}`);
    }
  },
  members: (run) => {
    for (const node of run.cluster.nodes) {
      const { membership, membershipIndex } = node.status();
      run.say(`${node.id}: ${membershipText(membership)} from ${membershipIndex}`);
    }
  },
  peers: at((node, run) => {
    for (const peer of node.status().peers) run.say(peerText(peer));
  }),
  disk: at(({ id, disk }, run) => {
    const { hard, log } = disk;
    const { term, vote, commit } = hard;
    const text = entriesText(log.entriesHeld);
    run.say(`${id}: ${text === '' ? '' : `${text}, `}term ${term} vote ${vote} commit ${commit}`);
  }),
  network: (run) => {
    for (const message of run.cluster.network) run.say(messageText(message));
  },
  beats: (run, [answer]) => {
    run.tellsBeats = answer === 'on';
  },
};

function clusterOptions(size: number, options: readonly string[]): ClusterOptions {
  const values = new Map(options.map((option) => option.split('=') as [string, string]));
  const number = (key: string, fallback: number) => Number(values.get(key) ?? fallback);
  const logs = new Map<ServerId, ServerId[]>();
  for (const [key, value] of values) if (Number(key) > 0) logs.set(Number(key), list(value));
  // All have been in the last term of any log, as voters if not as its leader.
  const term = number('term', Math.max(0, ...[...logs.values()].flat()));
  const zones = list(values.get('zones'));
  const voters = list(values.get('voters'));
  return {
    size,
    ...(voters.length > 0 ? { voters } : {}),
    config: {
      zoneOf: (id) => zones[id - 1] ?? id,
      maxInflightAppends: number('window', 256),
      maxAppendBytes: number('append-bytes', 1 << 20),
      maxInflightBytes: number('window-bytes', 64 << 20),
      maxUncommittedBytes: number('quota-bytes', 64 << 20),
      maxCommittedBytesPerOutput: number('apply-bytes', 64 << 20),
    },
    nodes: (id) => ({
      entries: entriesOf(logs.get(id) ?? []),
      hard: { term, vote: 0, commit: number('commit', 0) },
    }),
  };
}
