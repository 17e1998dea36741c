import type { ServerId } from '../../consensus/types.ts';
import type { Clock, LogLine } from './environment.ts';
import type { Group } from './group.ts';
import type { EnvelopeMessage } from './messages.ts';
import { PeerViews } from './peer-views.ts';
import { Retreat } from './retreat.ts';
import { type Ailment, Watchdog } from './watchdog.ts';

export interface HealthOptions {
  readonly self: ServerId;
  readonly tickMs: number;
  readonly clock: Clock;
  readonly log: LogLine;
  /** Unit 0 and up. */
  readonly groups: readonly Group[];
  isDiskFull(): boolean;
  /** Leads only where it must. */
  isRemote(server: ServerId): boolean;
  /** While held a unit proposes nothing. */
  hold(unit: number, isHeld: boolean): void;
}

/** How a server finds itself and its peers. */
export interface HealthView {
  /** What was wrong of late, so that this server does not lead if it can help it. */
  readonly ailment: Ailment | null;
  /** How long it stood, or how far the clock is off; 0 if well. */
  readonly extentMs: number;
  /** Against the median of all servers that are in touch. */
  readonly clockErrorMs: number;
  readonly peers: readonly {
    readonly server: ServerId;
    readonly heardMsAgo: number;
    /** In touch, well and with a clock near the median. */
    readonly isFit: boolean;
    readonly rttMs: number | null;
    readonly clockOffsetMs: number | null;
  }[];
}

/** Watches this server and its peers, and gives away what this server leads while it can't be relied on. */
export class Health {
  readonly #options: HealthOptions;
  readonly #peers = new PeerViews();
  readonly #watchdog: Watchdog;
  readonly #retreat: Retreat;
  #wasAiling = false;

  constructor(options: HealthOptions) {
    const { self, groups, tickMs } = options;
    this.#options = options;
    this.#watchdog = new Watchdog(tickMs);
    this.#retreat = new Retreat({
      self,
      groups,
      heirs: () => this.#heirs(),
      hold: (unit, isHeld) => options.hold(unit, isHeld),
    });
  }

  get isAiling(): boolean {
    return this.#watchdog.ailment(this.#nowMs()) !== null;
  }

  isFit(peer: ServerId): boolean {
    return this.#peers.isFit(peer, this.#nowMs());
  }

  /** First thing in a tick: a server that stood still gives away what it led. True if peers should hear of us now. */
  tick(): boolean {
    const nowMs = this.#nowMs();
    const { groups, log } = this.#options;
    const stood = this.#watchdog.tick(
      nowMs,
      this.#peers.clockErrorMs(nowMs),
      this.#options.isDiskFull(),
    );
    if (stood) this.#peers.askAnew(nowMs);
    const ailment = this.#watchdog.ailment(nowMs);
    const isNews = stood || this.#wasAiling !== (ailment !== null);
    if (ailment !== null) {
      if (!this.#wasAiling) {
        const leads = groups.filter(({ raft }) => raft.role === 'leader').length;
        const ms = Math.round(this.#watchdog.extentMs);
        log('warn', `sick: ${ailment}, ${ms} ms; gives away what it leads`, { leads });
      }
      this.#retreat.step(nowMs);
    } else if (this.#wasAiling) {
      log('info', 'well again');
      this.#retreat.end();
    }
    this.#wasAiling = ailment !== null;
    return isNews;
  }

  flushStarted(): void {
    this.#watchdog.flushStarted(this.#nowMs());
  }

  flushEnded(): void {
    this.#watchdog.flushEnded();
  }

  /** True if the peer's process is another than the one that was heard before. */
  heard(from: ServerId, message: EnvelopeMessage): boolean {
    return this.#peers.heard(from, message, this.#nowMs(), wallMs(this.#options.clock));
  }

  hasOlderLog(peer: ServerId, epoch: number, logEnd: number): boolean {
    return this.#peers.hasOlderLog(peer, epoch, logEnd);
  }

  /** Its process has ended. */
  gone(peer: ServerId): void {
    this.#peers.gone(peer);
  }

  get view(): HealthView {
    const nowMs = this.#nowMs();
    const ailment = this.#watchdog.ailment(nowMs);
    return {
      ailment,
      extentMs: ailment === null ? 0 : this.#watchdog.extentMs,
      clockErrorMs: this.#peers.clockErrorMs(nowMs),
      peers: this.#peers.all.map(({ server, heardMs, rttMs, clockOffsetMs }) => ({
        server,
        heardMsAgo: nowMs - heardMs,
        isFit: this.#peers.isFit(server, nowMs),
        rttMs,
        clockOffsetMs,
      })),
    };
  }

  /** Peers that may lead what this server gives away: those that are well, near ones first. */
  #heirs(): readonly ServerId[] {
    const far = (server: ServerId) => Number(this.#options.isRemote(server));
    return this.#peers.all
      .map(({ server }) => server)
      .filter((server) => this.isFit(server))
      .sort((a, b) => far(a) - far(b) || a - b);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** Since 1970. */
export function wallMs(clock: Clock): number {
  return Math.max(0, Number(clock.wallNs() / 1_000_000n));
}
