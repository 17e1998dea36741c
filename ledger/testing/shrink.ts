/** Leaves out ever smaller runs of items as long as what is left still fails. */
export function shrink<T>(all: readonly T[], fails: (some: readonly T[]) => boolean): T[] {
  let items = [...all];
  for (let run = Math.ceil(items.length / 2); run > 0; run = run === 1 ? 0 : Math.ceil(run / 2)) {
    for (let from = 0; from < items.length; ) {
      const fewer = [...items.slice(0, from), ...items.slice(from + run)];
      if (fails(fewer)) items = fewer;
      else from += run;
    }
  }
  return items;
}
