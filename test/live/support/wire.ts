import { type Client, credentials, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import { schema } from '../../../client/testing/schema.ts';
import type { Defer } from './defer.ts';

/** How a call ended, and the messages that came before. */
export interface Outcome {
  readonly code: number;
  readonly details: string;
  readonly responses: readonly Buffer[];
}

/** gRPC as anyone could speak it: whatever bytes, by a library that knows nothing of ours. */
export class Wire {
  readonly #client: Client;

  constructor(defer: Defer, address: string) {
    const Generic = makeGenericClientConstructor({}, 'Ledger');
    this.#client = new Generic(address, credentials.createInsecure());
    defer(() => this.#client.close());
  }

  unary(method: string, request: Uint8Array): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        `/evenkeel.v1.Ledger/${method}`,
        asBuffer,
        asBuffer,
        request,
        new Metadata(),
        { deadline: Date.now() + 30_000 },
        (error, response) => {
          if (error === null) resolve({ code: 0, details: '', responses: [response as Buffer] });
          else resolve({ code: error.code, details: error.details, responses: [] });
        },
      );
    });
  }

  /** Sends all messages at once over one SubmitTransfers stream. */
  submit(messages: readonly Uint8Array[]): Promise<Outcome> {
    return new Promise((resolve) => {
      const responses: Buffer[] = [];
      const stream = this.#client.makeBidiStreamRequest(
        '/evenkeel.v1.Ledger/SubmitTransfers',
        asBuffer,
        asBuffer,
        new Metadata(),
        { deadline: Date.now() + 30_000 },
      );
      stream.on('data', (response: Buffer) => responses.push(response));
      stream.on('error', () => {}); // the status says the same
      stream.on('status', ({ code, details }) => resolve({ code, details, responses }));
      for (const message of messages) stream.write(message);
      stream.end();
    });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** Field number and bytes, as protobuf writes them. */
export function bytesField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 0x80)) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}

export function u128(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
}

/** Names of the statuses in a CreateTransfersResponse, read by protobufjs. */
export function statusesOf(response: Uint8Array): string[] {
  const type = schema.lookupType('evenkeel.v1.CreateTransfersResponse');
  const { results } = type.toObject(type.decode(response), { enums: String }) as {
    results: { status: string }[];
  };
  return results.map(({ status }) => status);
}
