// Loaded before Azurite. Whoever started it holds the other end of stdin; when that process dies, in whatever
// way, the pipe closes and nothing of the sandbox is left behind.
process.stdin.on("close", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
process.stdin.resume();
