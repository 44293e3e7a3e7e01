//! The map of everything that calls look up while the event sync changes it.

/// Readers never wait. Its hash is seeded anew in each process and several times as fast as the standard library's; what it
/// gives up against floods of chosen keys matters less where every key was admitted by a token or an administrator first.
pub type ConcurrentMap<K, V> = papaya::HashMap<K, V, foldhash::quality::RandomState>;
