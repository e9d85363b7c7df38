/** Reads the JUnit report that `deno test --junit-path` writes. */

/** A test or a step that was seen by the runner. */
export interface TestCase {
  /** The file, as the runner names it. */
  readonly file: string;
  /** Its own name, without the names of the tests it is a step of. */
  readonly title: string;
  /** Whether it is a test of its own rather than a step. */
  readonly topLevel: boolean;
  readonly outcome: "passed" | "failed" | "skipped";
}

/** Every test case of a report. */
export function parseJunit(xml: string): TestCase[] {
  const suites = xml.matchAll(
    /<testsuite\s[^>]*?name="([^"]*)"[^>]*>([\s\S]*?)<\/testsuite>/g,
  );
  return [...suites].flatMap(([, file, body]) =>
    parseSuite(unescape(file!), body!)
  );
}

function parseSuite(file: string, body: string): TestCase[] {
  const found = [...body.matchAll(
    /<testcase\s[^>]*?name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )].map(([, name, content = ""]) => ({ name: unescape(name!), content }));
  const names = new Set(found.map(({ name }) => name));

  return found.map(({ name, content }) => {
    const parent = parentOf(name, names);
    return {
      file,
      title: parent === null ? name : name.slice(parent.length + SEP.length),
      topLevel: parent === null,
      outcome: /<(failure|error)[\s>]/.test(content)
        ? "failed"
        : /<skipped[\s/>]/.test(content)
        ? "skipped"
        : "passed",
    };
  });
}

const SEP = " > ";

/** The runner joins a step's name to its parents'; the longest known one is it. */
function parentOf(name: string, names: ReadonlySet<string>): string | null {
  for (
    let at = name.lastIndexOf(SEP);
    at > 0;
    at = name.lastIndexOf(SEP, at - 1)
  ) {
    if (names.has(name.slice(0, at))) return name.slice(0, at);
  }
  return null;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescape(text: string): string {
  return text.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const hex = /^#x/i.test(name);
    return String.fromCodePoint(
      parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10),
    );
  });
}
