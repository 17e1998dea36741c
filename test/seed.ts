/** With EVENKEEL_SEED set, as before a change is taken, properties draw from it too: a failure comes back. */
const seed = process.env.EVENKEEL_SEED;
if (seed !== undefined) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(BigInt(seed) & 0x7fff_ffffn) });
}
