// Amounts as people read them.

export function written(minor, currency) {
  // No marks between thousands, as on the other pages: 1,000 is one to some readers and a thousand to others.
  const format = new Intl.NumberFormat("en", { style: "currency", currency, useGrouping: false });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}
