/**
 * Scenarios as text (etcd's `testdata`): blocks of commands, `----`, and all that happened. An
 * entry is written index@term, a message from->to; what a replica writes, syncs and applies stands
 * under its own name. The commands are listed in transcript-commands.ts.
 */
import type { Message, Output } from '../types.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import type { SimNode } from './node.ts';
import { COMMANDS } from './transcript-commands.ts';
import { entriesText, eventText, messageText } from './transcript-text.ts';

/** Runs a script and returns it with the output of every block as it is now. */
export function runTranscript(script: string): string {
  const run = new Run();
  const blocks = script.trimEnd().split(/\n\n+/);
  return `${blocks.map((block) => run.block(block)).join('\n\n')}\n`;
}

export class Run {
  cluster = new Cluster();
  /** Heartbeats that say nothing new would drown the story, unless it is about them. */
  tellsBeats = false;
  #lines: string[] = [];

  block(text: string): string {
    const lines = text.split('\n');
    const end = lines.indexOf('----');
    const commands = end < 0 ? lines : lines.slice(0, end);
    if (commands.every((line) => line.startsWith('#'))) return text;
    this.#lines = [];
    for (const command of commands) if (!command.startsWith('#')) this.command(command);
    if (this.#lines.length === 0) this.#lines.push('ok');
    return [...commands, '----', ...this.#lines].join('\n');
  }

  command(line: string): void {
    const [name = '', ...args] = line.split(' ');
    const command = COMMANDS[name];
    if (command === undefined) throw new Error(`unknown command: ${line}`);
    command(this, args);
  }

  say(line: string): void {
    this.#lines.push(line);
  }

  /** Does what `act` does, and tells nothing of it. */
  quietly(act: () => void): void {
    const told = this.#lines;
    this.#lines = [];
    act();
    this.#lines = told;
  }

  start(options: ClusterOptions): void {
    this.cluster = new Cluster(options);
    this.cluster.onMessage = (message, fate) => {
      if (this.tellsBeats || !isBeat(message, fate)) this.tell(message, fate);
    };
    for (const node of this.cluster.nodes) this.#listen(node);
  }

  tell(message: Message, fate: 'delivered' | 'held' | 'lost'): void {
    this.say(`${messageText(message)}${fate === 'delivered' ? '' : ` ${fate}`}`);
  }

  #listen(node: SimNode): void {
    const { id, onEvent: check } = node;
    node.onEvent = (event) => {
      this.say(eventText(event));
      check(event);
    };
    node.onOutput = (output) => this.#output(id, output);
    node.onSynced = (output) => {
      if (this.cluster.slow.has(id) && written(output) !== '')
        this.say(`${id}: has synced ${written(output)}`);
    };
  }

  #output(id: number, output: Output): void {
    const { mustSync, committed } = output;
    if (written(output) !== '')
      this.say(`${id}: ${mustSync ? 'syncs' : 'writes'} ${written(output)}`);
    if (committed.length > 0) this.say(`${id}: applies ${entriesText(committed)}`);
    for (const { context, index } of output.reads) this.say(`${id}: read ${context} at ${index}`);
    for (const context of output.readsDropped) this.say(`${id}: read ${context} dropped`);
  }
}

function written({ snapshot, entries, hardState }: Output): string {
  const parts: string[] = [];
  if (snapshot !== null) parts.push(`snapshot ${snapshot.index}@${snapshot.term}`);
  if (entries.length > 0) parts.push(entriesText(entries));
  if (hardState !== null) {
    const { term, vote, commit } = hardState;
    parts.push(`term ${term} vote ${vote} commit ${commit}`);
  }
  return parts.join(', ');
}

function isBeat(message: Message, fate: string): boolean {
  if (message.type !== 'heartbeat' && message.type !== 'heartbeatReply') return false;
  return message.readContext === 0 || fate === 'lost';
}
