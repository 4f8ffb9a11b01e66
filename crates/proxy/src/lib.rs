//! The data plane: entry points, connections, the exchange loop, pools.
