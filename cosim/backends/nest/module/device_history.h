// What has happened to devices, as far as anything depends on it: writes and the time of the last one.

#ifndef COSIM_DEVICE_HISTORY_H
#define COSIM_DEVICE_HISTORY_H

#include <cstdint>
#include <vector>

#include "dictionary.h"
#include "nest_time.h"

#include "device.h"

namespace cosim
{

//! The history of one device.
struct DeviceHistory
{
  double
  n_writes() const
  {
    return static_cast< double >( n_set ) + static_cast< double >( n_reset );
  }

  double
  age_s( long step ) const
  {
    return static_cast< double >( step - last_write ) * nest::Time::get_resolution().get_ms() / 1000.0;
  }

  void
  add( const Written& written, long step )
  {
    ( written.up ? n_set : n_reset ) += written.n_writes;
    if ( written.n_writes )
    {
      last_write = step;
    }
  }

  uint32_t n_set = 0;   //!< pulses up
  uint32_t n_reset = 0; //!< pulses down
  long last_write = 0;  //!< its step
};

//! The histories of the devices of a projection. Most devices need none, so they have no place in the synapse. Each
//! thread has its own common properties and writes to its own devices only.
class DeviceHistories
{
public:
  //! `n_devices` makes all devices new: not written yet but at the step `device_time_zero`.
  void
  set_status( const Dictionary& d, bool drift )
  {
    d.update_value( "counts_writes", counts_writes_ );
    d.update_value( "device_time_zero", time_zero_ );
    long n_devices = 0;
    if ( d.update_value( "n_devices", n_devices ) )
    {
      counts_.assign( counts_writes_ ? n_devices : 0, {} );
      last_writes_.assign( drift ? n_devices : 0, time_zero_ );
      kept_ = counts_writes_ or drift;
    }
  }

  DeviceHistory
  of( uint32_t device ) const
  {
    DeviceHistory history;
    if ( not kept_ )
    {
      return history;
    }
    if ( not counts_.empty() )
    {
      history.n_set = counts_[ device ].n_set;
      history.n_reset = counts_[ device ].n_reset;
    }
    if ( not last_writes_.empty() )
    {
      history.last_write = last_writes_[ device ];
    }
    return history;
  }

  void
  keep( uint32_t device, const DeviceHistory& history ) const
  {
    if ( not kept_ )
    {
      return;
    }
    if ( not counts_.empty() )
    {
      counts_[ device ] = { history.n_set, history.n_reset };
    }
    if ( not last_writes_.empty() )
    {
      last_writes_[ device ] = history.last_write;
    }
  }

private:
  struct Counts
  {
    uint32_t n_set = 0;
    uint32_t n_reset = 0;
  };

  bool counts_writes_ = false;
  bool kept_ = false; //!< whether there are any, for the speed of the usual case
  long time_zero_ = 0;
  // NEST hands common properties to synapses as constants.
  mutable std::vector< Counts > counts_;
  mutable std::vector< long > last_writes_;
};

} // namespace cosim

#endif
