// Synapse with a programmed, constant weight of one or two memristive devices, which drift and have read noise.
//
// Weights are programmed in Python. Those that do not change any more are ordinary static synapses.

#ifndef COSIM_PROGRAMMED_SYNAPSE_H
#define COSIM_PROGRAMMED_SYNAPSE_H

#include <cstdint>
#include <vector>

#include "common_synapse_properties.h"
#include "connection.h"
#include "connector_model.h"
#include "event.h"
#include "exceptions.h"
#include "nest_time.h"

#include "device.h"
#include "state_visitor.h"

namespace cosim
{

//! What all weights of a projection have in common.
class ProgrammedProperties : public nest::CommonSynapseProperties
{
public:
  void
  get_status( Dictionary& d ) const
  {
    CommonSynapseProperties::get_status( d );
    d[ "device_parameters" ] = device_parameters;
    d[ "devices_per_weight" ] = devices_per_weight;
    d[ "device_time_zero" ] = time_zero;
  }

  void
  set_status( const Dictionary& d, nest::ConnectorModel& cm )
  {
    CommonSynapseProperties::set_status( d, cm );
    d.update_value( "device_parameters", device_parameters );
    d.update_value( "devices_per_weight", devices_per_weight );
    d.update_value( "device_time_zero", time_zero );
    if ( not is_device( device_parameters ) )
    {
      throw nest::BadProperty( "device_parameters must be as cosim.backends.device_parameters.pack makes them." );
    }
    if ( devices_per_weight != 1 and devices_per_weight != 2 )
    {
      throw nest::BadProperty( "devices_per_weight must be 1 or 2." );
    }
  }

  std::vector< double > device_parameters = ideal_device();
  long devices_per_weight = 1;
  long time_zero = 0; //!< step at which all devices were written
};

template < typename TargetT >
class programmed_synapse : public nest::Connection< TargetT >
{
public:
  using CommonPropertiesType = ProgrammedProperties;
  using ConnectionBase = nest::Connection< TargetT >;
  using ConnectionBase::get_delay;
  using ConnectionBase::get_delay_steps;
  using ConnectionBase::get_rport;
  using ConnectionBase::get_target;

  static constexpr nest::ConnectionModelProperties properties =
    nest::ConnectionModelProperties::HAS_DELAY | nest::ConnectionModelProperties::IS_PRIMARY;

  class ConnTestDummyNode : public nest::ConnTestDummyNodeBase
  {
  public:
    using ConnTestDummyNodeBase::handles_test_event;
    size_t
    handles_test_event( nest::SpikeEvent&, size_t ) override
    {
      return nest::invalid_port;
    }
  };

  void
  check_connection( nest::Node& source, nest::Node& target, size_t receptor, const ProgrammedProperties& )
  {
    ConnTestDummyNode dummy_target;
    ConnectionBase::check_connection_( dummy_target, source, target, receptor );
  }

  void
  get_status( Dictionary& d ) const
  {
    ConnectionBase::get_status( d );
    d[ "first" ] = first_;
    d[ "second" ] = second_;
    d[ "index" ] = static_cast< double >( index_ );
    d[ nest::names::size_of ] = static_cast< long >( sizeof( *this ) );
  }

  void
  set_status( const Dictionary& d, nest::ConnectorModel& cm )
  {
    ConnectionBase::set_status( d, cm );
    d.update_value( "first", first_ );
    d.update_value( "second", second_ );
    // NEST hands arrays over as floating point numbers; indices below 2^53 are exact.
    double index = index_;
    if ( d.update_value( "index", index ) )
    {
      index_ = static_cast< uint32_t >( index );
    }
  }

  //! The kernel hands over the default weight at creation; here the weight follows from the devices.
  void
  set_weight( double )
  {
  }

  bool
  send( nest::Event& e, size_t tid, const ProgrammedProperties& cp )
  {
    const long now = e.get_stamp().get_steps();
    if ( now < 0 ) [[unlikely]]
    {
      visit_( static_cast< const StateVisitor& >( e ), cp );
      return false;
    }
    const Device d( cp.device_parameters.data() );
    const uint32_t n_reads = n_reads_++;
    const double w = weight_( now, cp, [ & ]( uint32_t device ) { return read_factor( d, device, n_reads ); } );
    if ( w == 0.0 )
    {
      return false;
    }
    e.set_weight( w );
    e.set_delay_steps( get_delay_steps() );
    e.set_receiver( *get_target( tid ) );
    e.set_rport( get_rport() );
    e();
    return true;
  }

private:
  template < typename Factor >
  double
  weight_( long step, const ProgrammedProperties& cp, Factor read ) const
  {
    const Device d( cp.device_parameters.data() );
    const double age_s =
      static_cast< double >( step - cp.time_zero ) * nest::Time::get_resolution().get_ms() / 1000.0;
    const auto factor = [ & ]( uint32_t device ) { return drift_factor( d, device, age_s ) * read( device ); };
    if ( cp.devices_per_weight == 1 )
    {
      return first_ * factor( index_ ) + second_;
    }
    return first_ * factor( 2 * index_ ) + second_ * factor( 2 * index_ + 1 );
  }

  void
  visit_( const StateVisitor& visitor, const ProgrammedProperties& cp )
  {
    using Variable = StateVisitor::Variable;
    double* value = visitor.place();
    if ( not value )
    {
      return;
    }
    if ( visitor.writing )
    {
      if ( visitor.variable == Variable::N_SPIKES )
      {
        n_reads_ = static_cast< uint32_t >( *value );
      }
      return;
    }
    switch ( visitor.variable )
    {
    case Variable::WEIGHT:
      *value = weight_( visitor.until_step, cp, []( uint32_t ) { return 1.0; } );
      break;
    case Variable::DELAY:
      *value = get_delay();
      break;
    case Variable::DEVICE:
      *value = index_;
      break;
    default: // not of this synapse
      break;
    }
  }

  double first_ = 0.0;   //!< share of the first device in the weight as programmed, with its sign
  double second_ = 0.0;  //!< share of the second device; of one device only: what is added
  uint32_t index_ = 0;   //!< of the weight in its projection
  uint32_t n_reads_ = 0; //!< spikes so far
};

} // namespace cosim

#endif
