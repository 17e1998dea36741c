import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { registerServices, SERVER_OPTIONS, type ServicesHandle } from '../register.ts';
import { loadSchema } from '../schema.ts';
import type { TopologyView } from '../topology.ts';
import { FakeChanges } from './fake-changes.ts';
import { FakeFeeds } from './fake-feeds.ts';
import { FakeGateway } from './fake-gateway.ts';
import { FakeLedgers } from './fake-ledgers.ts';

type Plain = Record<string, unknown>;

export const TOPOLOGY: TopologyView = {
  clusterId: 'test',
  protocolVersion: 1,
  serverId: 2,
  zone: 'hz2',
  zones: [{ name: 'hz2', leaderWeight: 1, drained: true }],
  servers: [{ id: 2, zone: 'hz2', address: '127.0.0.1:7402', peerAddress: '127.0.0.1:7502' }],
  ledgers: [{ number: 978, currency: 'EUR', scale: 2 }],
  units: [
    {
      id: 1,
      slots: [
        { first: 0, last: 9 },
        { first: 20, last: 29 },
      ],
      leaderServerId: 2,
      term: 7,
      commitIndex: 2 ** 40,
      appliedIndex: 12,
      booksIndex: 11,
      lastIndex: 14,
      executionDigest: 'ab'.repeat(8),
      role: 'leader',
      voters: [1, 2, 300],
      learners: [4],
    },
  ],
  registryLeaderServerId: 3,
  ailment: 'disk stalled',
  clockErrorMs: -612,
};

/** A server with our services over a fake gateway, and grpc-js with protobufjs as its client. */
export class Harness {
  readonly gateway = new FakeGateway();
  readonly feeds = new FakeFeeds();
  readonly ledgers = new FakeLedgers();
  readonly changes = new FakeChanges();
  readonly defects: unknown[] = [];
  readonly schema: protobuf.Root = loadSchema();
  readonly services: ServicesHandle;
  readonly #server = new Server(SERVER_OPTIONS);
  #client: Client | null = null;
  address = '';

  constructor() {
    this.services = registerServices(this.#server, {
      gateway: this.gateway,
      ledgers: this.ledgers,
      changes: this.changes,
      topology: () => TOPOLOGY,
      feeds: this.feeds,
      onDefect: (error) => this.defects.push(error),
    });
  }

  async start(): Promise<this> {
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.address = `127.0.0.1:${port}`;
    this.#client = new Client(this.address, credentials.createInsecure());
    return this;
  }

  get client(): Client {
    return this.#client!;
  }

  stop(): void {
    this.#client?.close();
    this.#server.forceShutdown();
  }

  encode(type: string, value: Plain): Buffer {
    const found = this.schema.lookupType(`evenkeel.v1.${type}`);
    return Buffer.from(found.encode(found.fromObject(value)).finish());
  }

  decode(type: string, bytes: Buffer): Plain {
    const found = this.schema.lookupType(`evenkeel.v1.${type}`);
    return found.toObject(found.decode(bytes), { longs: Number, enums: String, bytes: Array });
  }

  call(method: string, request: Plain, options = {}): Promise<Plain> {
    const name = method.split('/')[1]!;
    return this.callRaw(method, this.encode(`${name}Request`, request), options).then((bytes) =>
      this.decode(`${name}Response`, bytes),
    );
  }

  callRaw(method: string, request: Buffer, options = {}): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        `/evenkeel.v1.${method}`,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        request,
        options,
        (error: ServiceError | null, response?: Buffer) =>
          error === null ? resolve(response!) : reject(error),
      );
    });
  }

  submit(): SubmitCall {
    const call = this.client.makeBidiStreamRequest<Buffer, Buffer>(
      '/evenkeel.v1.Ledger/SubmitTransfers',
      (bytes) => bytes,
      (bytes) => bytes,
    );
    return new SubmitCall(call, (bytes) => this.decode('CreateTransfersResponse', bytes));
  }

  watch(request: Plain): WatchCall {
    const call = this.client.makeServerStreamRequest<Buffer, Buffer>(
      '/evenkeel.v1.Ledger/WatchEvents',
      (bytes) => bytes,
      (bytes) => bytes,
      this.encode('WatchEventsRequest', request),
    );
    return new WatchCall(call, (bytes) => this.decode('WatchEventsResponse', bytes));
  }

  transfers(...ids: number[]): Buffer {
    return this.encode('CreateTransfersRequest', { transfers: ids.map((id) => transfer(id)) });
  }
}

export function transfer(id: number): Plain {
  return {
    id: [id >> 8, id & 255],
    debitAccountId: [1],
    creditAccountId: [2],
    amount: [5],
    ledger: 978,
    code: 1,
  };
}

export function account(id: number): Plain {
  return { id: [id], ledger: 978, code: 10 };
}

/** One client side of a SubmitTransfers stream. */
export class SubmitCall {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly responses: Plain[] = [];
  readonly status: Promise<StatusObject>;

  constructor(call: ClientDuplexStream<Buffer, Buffer>, decode: (bytes: Buffer) => Plain) {
    this.call = call;
    call.on('data', (bytes: Buffer) => this.responses.push(decode(bytes)));
    call.on('error', () => {});
    this.status = new Promise((resolve) => {
      call.on('status', (status: StatusObject & { metadata: Metadata }) => resolve(status));
    });
  }

  send(...messages: Buffer[]): this {
    for (const message of messages) this.call.write(message);
    return this;
  }

  finish(): Promise<StatusObject> {
    this.call.end();
    return this.status;
  }
}

/** Waits until it holds; the test's own time limit ends the wait. */
export async function until(holds: () => boolean, everyMs = 2): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, everyMs));
}

/** One client side of a WatchEvents stream. */
export class WatchCall {
  readonly call: ClientReadableStream<Buffer>;
  readonly events: Plain[] = [];
  readonly status: Promise<StatusObject>;

  constructor(call: ClientReadableStream<Buffer>, decode: (bytes: Buffer) => Plain) {
    this.call = call;
    call.on('data', (bytes: Buffer) => this.events.push(...(decode(bytes).events as Plain[])));
    call.on('error', () => {});
    this.status = new Promise((resolve) => {
      call.on('status', (status: StatusObject & { metadata: Metadata }) => resolve(status));
    });
  }

  get times(): unknown[] {
    return this.events.map(({ timestamp }) => timestamp);
  }
}
