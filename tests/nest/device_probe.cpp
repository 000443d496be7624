// The functions of device.h for arrays of devices, to compare them with devices.effects; see test_device.py.

#include "device.h"

using cosim::Device;
using cosim::Written;

extern "C"
{

//! Programs `n` devices `n_events` times and perturbs them after each; notes all states and counts writes.
void
probe_history( const double* parameters,
  long n,
  long n_events,
  double p_max,
  const double* floor,
  const double* wanted,
  double* states,
  double* counts )
{
  const Device d( parameters );
  for ( long i = 0; i < n; ++i )
  {
    double state = floor[ i ];
    double n_set = 0.0;
    double n_reset = 0.0;
    uint32_t event = 0;
    const auto take = [ & ]( const Written& written )
    {
      state = written.state;
      event += written.event;
      ( written.up ? n_set : n_reset ) += written.n_writes;
    };
    for ( long k = 0; k < n_events; ++k )
    {
      // every fifth time what is wanted is there already
      const double goal = k % 5 == 4 ? state : wanted[ k * n + i ];
      take( cosim::program( d, state, goal, floor[ i ], p_max, i, event, n_set + n_reset ) );
      take( cosim::perturb( d, state, floor[ i ], p_max, i, event, n_set + n_reset ) );
      states[ k * n + i ] = state;
    }
    counts[ 3 * i ] = event;
    counts[ 3 * i + 1 ] = n_set;
    counts[ 3 * i + 2 ] = n_reset;
  }
}

//! What `n` devices transmit at read number 11 i, after 3 i events: conductances and factors of the read.
void
probe_reading( const double* parameters,
  long n,
  const double* w,
  const double* w_range,
  const double* age_s,
  double* conductances,
  double* factors )
{
  const Device d( parameters );
  for ( long i = 0; i < n; ++i )
  {
    conductances[ i ] =
      cosim::with_write_noise( d, w[ i ], w_range[ i ], i, 3 * i ) * cosim::drift_factor( d, i, age_s[ i ] );
    factors[ i ] = cosim::read_factor( d, i, 11 * i );
  }
}

} // extern "C"
