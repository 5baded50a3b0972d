/**
 * What programs that run for long are started with: those in bin/ by their launchers, the processes of `t8s up` and `t8s agent` by whoever starts them.
 *
 * Hot: bench/apiserver — young objects are collected by one thread. Several cost more CPU than they save time: with a core or two they wait
 * for each other (creating a pod in process: 270 µs instead of 300). A larger young generation brought nothing that could be measured, and costs memory.
 */
export const NODE_FLAGS: readonly string[] = ['--no-parallel-scavenge']
