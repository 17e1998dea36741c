import { readdirSync, readFileSync } from 'node:fs';

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** Processes of a group that run; not zombies, which nobody may reap here. */
export function groupMembers(group: number): Process[] {
  return running().filter((process) => process.group === group);
}

/** Servers that were given a configuration in this folder. */
export function serversIn(folder: string): Process[] {
  return running().filter(({ command }) => command.includes(` --config ${folder}/`));
}

function running(): (Process & { group: number })[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // After the name in parentheses, which may hold anything: state, parent, group.
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [{ pid, command, group: Number(group) }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}
