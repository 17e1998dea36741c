import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { decode, encode, type Plain, toBytes } from './schema.ts';

type Unary = (request: Plain) => Plain;

/** What servers of one cluster share: ids that are booked, with their timestamps. */
export class FakeBooks {
  readonly booked = new Map<bigint, number>();
  /** How often each id was sent to any server. */
  readonly tries = new Map<bigint, number>();

  book(transfer: Plain): Plain {
    const id = transfer.id as bigint;
    this.tries.set(id, (this.tries.get(id) ?? 0) + 1);
    const known = this.booked.get(id);
    if (known !== undefined) return { status: 'TRANSFER_STATUS_EXISTS', timestamp: known };
    this.booked.set(id, this.booked.size + 1);
    return { status: 'TRANSFER_STATUS_CREATED', timestamp: this.booked.size };
  }
}

export interface StreamError {
  readonly code: number;
  readonly details: string;
}

/** A server made of grpc-js and protobufjs alone, which misbehaves on demand. */
export class FakeServer {
  readonly books: FakeBooks;
  /** Answers to unary calls, by name. */
  readonly unary: Record<string, Unary> = {};
  /** Books, but does not answer before `speak`. */
  silent = false;
  readonly #withheld: (() => void)[] = [];
  /** Ends the stream at the first message for which it gives an error. */
  refuse: (transfer: Plain) => StreamError | null = () => null;
  /** What a WatchEvents stream does. */
  watch: (request: Plain, call: ServerWritableStream<Buffer, Buffer>) => void = () => {};
  streams = 0;
  received = 0;
  address = '';
  #server: Server | null = null;

  constructor(books = new FakeBooks()) {
    this.books = books;
    this.unary.CreateTransfers = (request) => ({
      results: (request.transfers as Plain[]).map((transfer) => this.books.book(transfer)),
    });
  }

  async start(address = '127.0.0.1:0'): Promise<this> {
    const server = new Server();
    server.addService(
      {
        CreateAccounts: method('Ledger/CreateAccounts'),
        CreateTransfers: method('Ledger/CreateTransfers'),
        LookupAccounts: method('Ledger/LookupAccounts'),
        LookupTransfers: method('Ledger/LookupTransfers'),
        GetAccountTransfers: method('Ledger/GetAccountTransfers'),
        GetAccountBalance: method('Ledger/GetAccountBalance'),
        QueryAccounts: method('Ledger/QueryAccounts'),
        QueryTransfers: method('Ledger/QueryTransfers'),
        WatchEvents: { ...method('Ledger/WatchEvents'), responseStream: true },
        GetTopology: method('Cluster/GetTopology'),
        CreateLedger: method('Cluster/CreateLedger'),
        ListLedgers: method('Cluster/ListLedgers'),
        SubmitTransfers: method('Ledger/SubmitTransfers', true),
      },
      {
        CreateAccounts: this.#handle('CreateAccounts'),
        CreateTransfers: this.#handle('CreateTransfers'),
        LookupAccounts: this.#handle('LookupAccounts'),
        LookupTransfers: this.#handle('LookupTransfers'),
        GetAccountTransfers: this.#handle('GetAccountTransfers'),
        GetAccountBalance: this.#handle('GetAccountBalance'),
        QueryAccounts: this.#handle('QueryAccounts'),
        QueryTransfers: this.#handle('QueryTransfers'),
        WatchEvents: (call: ServerWritableStream<Buffer, Buffer>) =>
          this.watch(decode('WatchEventsRequest', call.request), call),
        GetTopology: this.#handle('GetTopology'),
        CreateLedger: this.#handle('CreateLedger'),
        ListLedgers: this.#handle('ListLedgers'),
        SubmitTransfers: (call: ServerDuplexStream<Buffer, Buffer>) => this.#submit(call),
      },
    );
    this.#server = server;
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.address = `127.0.0.1:${port}`;
    return this;
  }

  /** As a killed process: connections break, new ones are refused. */
  kill(): void {
    this.#server?.forceShutdown();
  }

  /** As a planned end: what is under way is answered. */
  leave(): Promise<void> {
    return new Promise((resolve) => {
      this.#server!.tryShutdown(() => resolve());
    });
  }

  speak(): void {
    this.silent = false;
    for (const send of this.#withheld.splice(0)) send();
  }

  #answer(send: () => void): void {
    if (this.silent) this.#withheld.push(send);
    else send();
  }

  #handle(name: string) {
    return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
      this.received += 1;
      try {
        const answer = this.unary[name]!(decode(`${name}Request`, call.request));
        this.#answer(() => callback(null, encode(`${name}Response`, answer)));
      } catch (error) {
        callback(error as StreamError);
      }
    };
  }

  #submit(call: ServerDuplexStream<Buffer, Buffer>): void {
    this.streams += 1;
    let number = 0;
    let refused = false;
    call.on('data', (bytes: Buffer) => {
      this.received += 1;
      if (refused) return;
      const request = decode('CreateTransfersRequest', bytes);
      const transfer = (request.transfers as Plain[])[0]!;
      const error = this.refuse(transfer);
      if (error !== null) {
        refused = true;
        const details = `message ${number}: ${error.details}`;
        // After a turn, in which the client may send more.
        setTimeout(() => call.emit('error', { code: error.code, details }), 5);
        return;
      }
      number += 1;
      const result = this.books.book(transfer);
      const balances = { debitsPosted: toBytes(transfer.amount as bigint) };
      if (request.balances === true) result.debitAccount = balances;
      this.#answer(() => call.write(encode('CreateTransfersResponse', { results: [result] })));
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  }
}

function method(path: string, stream = false): MethodDefinition<Buffer, Buffer> {
  const pass = (bytes: Buffer) => bytes;
  return {
    path: `/evenkeel.v1.${path}`,
    requestStream: stream,
    responseStream: stream,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
}
