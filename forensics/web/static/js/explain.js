// Evidence in the page's language. English comes with the report; Chinese is built from the values.

import { has, t } from "./i18n.js";

const list = (items) => (items ?? []).slice(0, 6).join("、");

// One entry a kind: the key of its sentence and what goes into it.
const SENTENCES = {
  c2pa: (v) => [v.error ? "error" : v.integrity, { signer: v.signer ?? "", trust: t(`trust_${v.signer_trust}`) }],
  aigc: (v) => [v.problems?.length ? "faulty" : "is", { site: v.site, label: t(`aigc_label_${v.values?.Label}`), problems: list(v.problems) }],
  iptc: (v) => ["is", { term: v.digital_source_type }],
  container: (v) => [v.writers || v.encoders ? "by" : "silent", { by: list([...v.writers ?? [], ...v.encoders ?? []].map((one) => one.split(" - ")[0])) }],
  watermark: (v) => [v.kind ?? "none", {}],
  visible: (v) => [v.status, { text: v.text, height: (100 * (v.height ?? 0)).toFixed(1), seconds: (v.seconds ?? 0).toFixed(1), reason: v.reason }],
  problem: (v) => ["is", { codes: list(v.codes) }],
  conflict: (v) => [v.code, {}],
};

// The sentence for a fact, or null where only its own explanation exists.
export function translated(fact) {
  if (!Object.hasOwn(SENTENCES, fact.kind)) return null;
  const [variant, values] = SENTENCES[fact.kind](fact.values);
  const key = `said_${fact.kind}_${variant}`;
  return has(key) ? t(key, values) : null;
}
