/**
 * Scenarios as text (etcd's `testdata`): blocks of commands, `----`, and all that happened. An
 * entry is written index@term, a message from->to; what a replica writes, syncs and applies stands
 * under its own name.
 *
 *     cluster N [K=TERM,TERM...]     a new group; the terms of the log that server K starts with
 *     elect K                        campaign and settle, told in one line
 *     campaign K | propose K TEXT | read K CONTEXT | transfer K TO | forget K LEADER | unreachable K PEER
 *     tick N [K...]                  ticks (of the named servers), settling after each; only news are told
 *     settle                         delivers and syncs until nothing moves
 *     cut A B | isolate K | heal | lose TYPE | hold TYPE | release | crash K | restart K
 *     logs | status
 */

import { decodeMembership } from '../membership.ts';
import {
  type Entry,
  EntryKind,
  type Membership,
  type Message,
  type Output,
  type TraceEvent,
} from '../types.ts';
import { Cluster } from './cluster.ts';
import { decode, entriesOf } from './node.ts';

/** Runs a script and returns it with the output of every block as it is now. */
export function runTranscript(script: string): string {
  const run = new Run();
  const blocks = script.trimEnd().split(/\n\n+/);
  return `${blocks.map((block) => run.block(block)).join('\n\n')}\n`;
}

class Run {
  #cluster = new Cluster();
  #lines: string[] = [];

  block(text: string): string {
    const lines = text.split('\n');
    const end = lines.indexOf('----');
    const commands = end < 0 ? lines : lines.slice(0, end);
    if (commands.every((line) => line.startsWith('#'))) return text;
    this.#lines = [];
    for (const command of commands) if (!command.startsWith('#')) this.#command(command);
    if (this.#lines.length === 0) this.#lines.push('ok');
    return [...commands, '----', ...this.#lines].join('\n');
  }

  #say(line: string): void {
    this.#lines.push(line);
  }

  #command(line: string): void {
    const [name, ...args] = line.split(' ');
    const [first = '', second = ''] = args;
    const id = Number(first);
    const c = this.#cluster;
    const node = () => c.node(id);
    switch (name) {
      case 'cluster':
        this.#start(id, args.slice(1));
        return;
      case 'elect':
        c.elect(id);
        this.#lines = [`${c.leader()} leads term ${c.status(c.leader()).term}`];
        return;
      case 'campaign':
        node().raft.campaign();
        return;
      case 'propose':
        this.#outcome(c.propose(id, second));
        return;
      case 'read':
        this.#outcome(node().raft.requestRead(Number(second)));
        return;
      case 'transfer':
        this.#outcome(node().raft.transferLeadership(Number(second)));
        return;
      case 'forget':
        node().raft.forgetLeader(Number(second));
        return;
      case 'unreachable':
        node().raft.reportUnreachable(Number(second));
        return;
      case 'tick':
        c.tick(id, args.length > 1 ? args.slice(1).map(Number) : undefined);
        return;
      case 'settle':
        c.settle();
        return;
      case 'cut':
        c.cut(id, Number(second));
        return;
      case 'isolate':
        c.isolate(id);
        return;
      case 'heal':
        c.heal();
        c.drop = () => false;
        return;
      case 'lose':
        c.drop = ({ type }) => type === first;
        return;
      case 'hold':
        c.hold = ({ type }) => type === first;
        return;
      case 'release':
        c.release();
        return;
      case 'crash':
        c.crash(id);
        return;
      case 'restart':
        c.restart(id);
        return;
      case 'logs':
        for (const one of c.nodes) {
          this.#say(`${one.id}: ${one.accepted.entriesHeld.map(entryText).join(' ')}`);
        }
        return;
      case 'status':
        for (const one of c.nodes) {
          const { role, term, leader, commit, lastIndex } = one.status();
          const state = one.alive ? `${role} term ${term} leader ${leader}` : 'down';
          this.#say(`${one.id}: ${state} commit ${commit} last ${lastIndex}`);
        }
        return;
      default:
        throw new Error(`unknown command: ${line}`);
    }
  }

  #outcome(outcome: object | undefined): void {
    if (outcome !== undefined && 'refused' in outcome)
      this.#say(`refused ${JSON.stringify(outcome)}`);
  }

  #start(size: number, options: readonly string[]): void {
    const logs = new Map<number, number[]>();
    for (const option of options) {
      const [key, value = ''] = option.split('=');
      logs.set(Number(key), value.split(',').map(Number));
    }
    // All have been in the last term of any log, as voters if not as its leader.
    const term = Math.max(0, ...[...logs.values()].flat());
    this.#cluster = new Cluster({
      size,
      nodes: (id) => ({
        entries: entriesOf(logs.get(id) ?? []),
        hard: { term, vote: 0, commit: 0 },
      }),
    });
    this.#cluster.onMessage = (message, fate) => {
      // Beats that say nothing new, or to nobody, would drown the story.
      if (isBeat(message, fate)) return;
      this.#say(`${messageText(message)}${fate === 'delivered' ? '' : ` ${fate}`}`);
    };
    for (const node of this.#cluster.nodes) {
      node.onOutput = (output) => this.#output(node.id, output);
      const check = node.onEvent;
      node.onEvent = (event) => {
        this.#event(event);
        check(event);
      };
    }
  }

  #event(event: TraceEvent): void {
    const { self, term } = event;
    if (event.kind === 'role') {
      const follows = event.role === 'follower' ? ` of ${event.leader}` : '';
      this.#say(`${self}: ${event.role}${follows} in term ${term}`);
    } else if (event.kind === 'vote')
      this.#say(`${self}: votes for ${event.candidate} in term ${term}`);
    else if (event.kind === 'truncate') this.#say(`${self}: truncates from ${event.index}`);
    else if (event.kind === 'commit') this.#say(`${self}: commits to ${event.index}`);
    else if (event.kind === 'membership')
      this.#say(`${self}: members ${membershipText(event.membership)} from ${event.index}`);
    else if (event.kind === 'restore') this.#say(`${self}: restores ${event.index}`);
    else if (event.kind === 'recovered') this.#say(`${self}: whole up to ${event.index}`);
    else this.#say(`${self}: peer ${event.peer} needs a snapshot`);
  }

  #output(id: number, output: Output): void {
    const { entries, hardState, mustSync, committed } = output;
    const written = entries.length > 0 ? [entries.map(entryText).join(' ')] : [];
    if (hardState !== null) {
      written.push(`term ${hardState.term} vote ${hardState.vote} commit ${hardState.commit}`);
    }
    if (written.length > 0)
      this.#say(`${id}: ${mustSync ? 'syncs' : 'writes'} ${written.join(', ')}`);
    if (committed.length > 0) this.#say(`${id}: applies ${committed.map(entryText).join(' ')}`);
    for (const { context, index } of output.reads) this.#say(`${id}: read ${context} at ${index}`);
    for (const context of output.readsDropped) this.#say(`${id}: read ${context} dropped`);
  }
}

/** `1 2 3`, joint `1 2 4 & 1 2 3`, learners `1 2 3 + 4`, learners to be `... next 3`. */
function membershipText({ voters, outgoing, learners, learnersNext }: Membership): string {
  let text = voters.join(' ');
  if (outgoing.length > 0) text += ` & ${outgoing.join(' ')}`;
  if (learners.length > 0) text += ` + ${learners.join(' ')}`;
  if (learnersNext.length > 0) text += ` next ${learnersNext.join(' ')}`;
  return `(${text})`;
}

function isBeat(message: Message, fate: string): boolean {
  if (message.type !== 'heartbeat' && message.type !== 'heartbeatReply') return false;
  return message.readContext === 0 || fate === 'lost';
}

function entryText({ index, term, kind, payload }: Entry): string {
  if (kind === EntryKind.membership)
    return `${index}@${term}:members${membershipText(decodeMembership(payload))}`;
  return `${index}@${term}${kind === EntryKind.empty ? '' : `:${decode(payload)}`}`;
}

function messageText(message: Message): string {
  const head = `${message.from}->${message.to} ${message.type} term ${message.term}`;
  switch (message.type) {
    case 'preVote':
      return `${head} last ${message.lastIndex}@${message.lastTerm}`;
    case 'vote':
      return `${head} last ${message.lastIndex}@${message.lastTerm}${message.forced ? ' forced' : ''}`;
    case 'preVoteReply':
    case 'voteReply':
      return `${head} ${message.granted ? 'granted' : 'refused'}`;
    case 'append': {
      const entries = message.entries.map(entryText).join(' ');
      return `${head} after ${message.prevIndex}@${message.prevTerm} commit ${message.commit} [${entries}]`;
    }
    case 'appendReply':
      if (!message.rejected) return `${head} ok ${message.index}`;
      return `${head} rejected ${message.index} hint ${message.hintIndex}@${message.hintTerm}`;
    case 'heartbeat':
      return `${head} commit ${message.commit} read ${message.readContext}`;
    case 'heartbeatReply':
      return `${head} read ${message.readContext}`;
    case 'timeoutNow':
      return head;
    case 'read':
      return `${head} context ${message.context}`;
    case 'readReply':
    case 'recover':
    case 'recoverReply':
      return `${head} context ${message.context} index ${message.index}`;
    case 'snapshot':
      return `${head} ${message.index}@${message.logTerm} ${membershipText(message.membership)}`;
    default:
      return message satisfies never;
  }
}
