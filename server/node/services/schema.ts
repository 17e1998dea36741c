import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

const FILES = ['ledger', 'cluster'].map((name) =>
  fileURLToPath(new URL(`../../../proto/evenkeel/v1/${name}.proto`, import.meta.url)),
);

/** The .proto files of the users' services, for what need not be fast. Field names in camel case. */
export function loadSchema(): protobuf.Root {
  return protobuf.loadSync(FILES);
}

/** As the reflection service takes them: with the names of the .proto files. */
export function fileDescriptors(): Buffer[] {
  const schema = new protobuf.Root().loadSync(FILES, { keepCase: true });
  schema.resolveAll();
  const { file } = (schema as protobuf.Root & WithDescriptor).toDescriptor('proto3');
  return (file ?? []).map((one) =>
    Buffer.from(descriptor.FileDescriptorProto.encode(one as protobuf.Message).finish()),
  );
}

/** Added to Root by the import above. */
interface WithDescriptor {
  toDescriptor(syntax: string): descriptor.IFileDescriptorSet;
}
