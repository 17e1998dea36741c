import { parentPort, workerData } from 'node:worker_threads';
import type { BooksChunk } from '../../core/books-copy.ts';
import { EvenkeelError } from '../../core/error.ts';
import type { CopyTask, FromCopy, ToCopy } from './copy-messages.ts';
import { CopyReader } from './copy-reader.ts';
import { CopyWriter } from './copy-writer.ts';

/** One copy of one unit's books, read or built; ended from outside. */
const port = parentPort!;
const task = workerData as CopyTask;
let reader: CopyReader | null = null;
let chunks: Generator<BooksChunk> | null = null;
let writer: CopyWriter | null = null;
/** Each message waits for those before it. */
let last = Promise.resolve();

port.on('message', (message: ToCopy) => {
  last = last.then(async () => {
    let answer: FromCopy;
    try {
      answer = await answerTo(message);
    } catch (error) {
      answer = { error: describe(error) };
    }
    const chunk = answer.error === null ? answer.chunk : null;
    port.postMessage(answer, chunk ? [chunk.rows.buffer as ArrayBuffer] : []);
  });
});

async function answerTo(message: ToCopy): Promise<FromCopy> {
  switch (message.kind) {
    case 'open':
      return { error: null, state: await open() };
    case 'next': {
      const next = chunks!.next();
      return { error: null, chunk: next.done === true ? null : next.value };
    }
    case 'add':
      writer!.add(message.chunk);
      return { error: null };
    case 'finish':
      writer!.finish(message.state);
      return { error: null };
  }
}

async function open() {
  if (task.kind === 'read') {
    reader = new CopyReader(task.file);
    chunks = reader.chunks(task.have);
    return reader.state;
  }
  const { file, unit, clusterId, own } = task;
  writer = await CopyWriter.begin(file, unit, clusterId, own);
  return writer.own;
}

function describe(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'copy_failed', message: String(error) };
  const code = error instanceof EvenkeelError ? error.code : 'copy_failed';
  return { code, message: error.message };
}
