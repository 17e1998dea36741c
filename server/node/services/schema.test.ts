import descriptor from 'protobufjs/ext/descriptor/index.js';
import { expect, it } from 'vitest';
import { fileDescriptors } from './schema.ts';

it('descriptors say which fields are optional, so that other tools ask for 0 and for anything apart', () => {
  const messages = fileDescriptors().flatMap((bytes) => {
    const file = descriptor.FileDescriptorProto.decode(bytes);
    return (file as unknown as descriptor.IFileDescriptorProto).messageType ?? [];
  });
  const query = messages.find(({ name }) => name === 'QueryAccountsRequest')!;
  const optional = query.field!.filter((field) => Reflect.get(field, 'proto3Optional') === true);
  expect(optional.map(({ name }) => name)).toEqual([
    'user_data_128',
    'user_data_64',
    'user_data_32',
    'ledger',
    'code',
  ]);
});
