// Plastic synapse whose weight is the conductance of a memristive device; docs/model_definition.md has the rule.
//
// The synapse is updated when its presynaptic neuron spikes, from the archive of its target's spikes; it reaches the
// archive by a cast to the module's own neuron class, so it connects to nothing else.

#ifndef COSIM_MEMRISTIVE_SYNAPSE_H
#define COSIM_MEMRISTIVE_SYNAPSE_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common_synapse_properties.h"
#include "connection.h"
#include "connector_model.h"
#include "event.h"
#include "exceptions.h"
#include "nest_time.h"

#include "device.h"
#include "device_history.h"
#include "iaf_psc_exp_dAP.h"
#include "state_visitor.h"

namespace cosim
{

//! Target of a memristive synapse: the receptor is always the dendritic one and needs no memory.
class DendriticTarget
{
public:
  void
  get_status( Dictionary& d ) const
  {
    if ( target_ )
    {
      d[ nest::names::rport ] = static_cast< long >( iaf_psc_exp_dAP::DENDRITIC );
      d[ nest::names::target ] = static_cast< long >( target_->get_node_id() );
    }
  }

  nest::Node*
  get_target_ptr( const size_t ) const
  {
    return target_;
  }

  iaf_psc_exp_dAP*
  neuron() const
  {
    return static_cast< iaf_psc_exp_dAP* >( target_ );
  }

  size_t
  get_rport() const
  {
    return iaf_psc_exp_dAP::DENDRITIC;
  }

  void
  set_target( nest::Node* target )
  {
    target_ = target;
  }

  void
  set_rport( size_t receptor )
  {
    if ( receptor != iaf_psc_exp_dAP::DENDRITIC )
    {
      throw nest::IllegalConnection( "memristive_synapse connects to the dendritic receptor only." );
    }
  }

private:
  nest::Node* target_ = nullptr;
};

//! Parameters of the rule and of the device, the same for all synapses of a projection.
class MemristiveProperties : public nest::CommonSynapseProperties
{
public:
  void get_status( Dictionary& d ) const;
  void set_status( const Dictionary& d, nest::ConnectorModel& cm );

  Device
  device() const
  {
    return Device( device_parameters.data() );
  }

  double
  w_min( uint32_t device ) const
  {
    return device_w_min.empty() ? common_w_min : device_w_min[ device ];
  }

  double
  w_max( uint32_t device ) const
  {
    return device_w_max.empty() ? common_w_max : device_w_max[ device ];
  }

  double lambda_plus = 0.08;
  double lambda_minus = 0.0015;
  double lambda_h = 0.014;
  double z_target = 1.0;
  double tau_plus = 20.0; //!< ms
  double dt_min = 4.0;    //!< ms
  double dt_max = 80.0;   //!< ms
  double p_max = 20.0;
  double theta_p = 10.0;
  bool binary = true;    //!< w switches where P crosses theta_p; otherwise it is linear in P
  bool pre_trace = true; //!< potentiation is weighted with the presynaptic trace

  double common_w_max = 12.98; //!< pA
  double common_w_min = 0.0;   //!< pA
  std::vector< double > device_w_max; //!< pA, per device; empty if all are alike
  std::vector< double > device_w_min;

  std::vector< double > device_parameters = ideal_device();
  DeviceHistories histories;
  // What most devices do not need to be asked for at every spike.
  bool perturbs = false;   //!< there is noise at presynaptic spikes
  bool fluctuates = false; //!< there is more to a conductance than the state

  //! Postsynaptic spikes that had reached the synapses by this step are part of the states that were written then.
  long states_written = 0;
};

inline void
MemristiveProperties::get_status( Dictionary& d ) const
{
  CommonSynapseProperties::get_status( d );
  d[ "lambda_plus" ] = lambda_plus;
  d[ "lambda_minus" ] = lambda_minus;
  d[ "lambda_h" ] = lambda_h;
  d[ "z_target" ] = z_target;
  d[ "tau_plus" ] = tau_plus;
  d[ "dt_min" ] = dt_min;
  d[ "dt_max" ] = dt_max;
  d[ "p_max" ] = p_max;
  d[ "theta_p" ] = theta_p;
  d[ "binary" ] = binary;
  d[ "pre_trace" ] = pre_trace;
  d[ "w_max" ] = common_w_max;
  d[ "w_min" ] = common_w_min;
  d[ "device_w_max" ] = device_w_max;
  d[ "device_w_min" ] = device_w_min;
  d[ "device_parameters" ] = device_parameters;
  d[ "states_written" ] = states_written;
}

inline void
MemristiveProperties::set_status( const Dictionary& d, nest::ConnectorModel& cm )
{
  CommonSynapseProperties::set_status( d, cm );
  d.update_value( "lambda_plus", lambda_plus );
  d.update_value( "lambda_minus", lambda_minus );
  d.update_value( "lambda_h", lambda_h );
  d.update_value( "z_target", z_target );
  d.update_value( "tau_plus", tau_plus );
  d.update_value( "dt_min", dt_min );
  d.update_value( "dt_max", dt_max );
  d.update_value( "p_max", p_max );
  d.update_value( "theta_p", theta_p );
  d.update_value( "binary", binary );
  d.update_value( "pre_trace", pre_trace );
  d.update_value( "w_max", common_w_max );
  d.update_value( "w_min", common_w_min );
  d.update_value( "device_w_max", device_w_max );
  d.update_value( "device_w_min", device_w_min );
  d.update_value( "device_parameters", device_parameters );
  d.update_value( "states_written", states_written );

  if ( tau_plus <= 0.0 or p_max <= 0.0 )
  {
    throw nest::BadProperty( "tau_plus and p_max must be positive." );
  }
  if ( dt_min < 0.0 or dt_max <= dt_min )
  {
    throw nest::BadProperty( "0 <= dt_min < dt_max is required." );
  }
  if ( not is_device( device_parameters ) )
  {
    throw nest::BadProperty( "device_parameters must be as cosim.backends.device_parameters.pack makes them." );
  }
  perturbs = device().perturbs();
  fluctuates = device().drifts() or device().has_noisy_conductance();
  histories.set_status( d, device().drifts() );
}

// The template parameter is NEST's choice of target identifier, which this synapse makes itself.
template < typename >
class memristive_synapse : public nest::Connection< DendriticTarget >
{
public:
  using CommonPropertiesType = MemristiveProperties;
  using ConnectionBase = nest::Connection< DendriticTarget >;

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
  check_connection( nest::Node& source, nest::Node& target, size_t receptor, const MemristiveProperties& )
  {
    auto* neuron = dynamic_cast< iaf_psc_exp_dAP* >( &target );
    if ( not neuron )
    {
      throw nest::IllegalConnection( "memristive_synapse needs a target of type iaf_psc_exp_dAP." );
    }
    ConnTestDummyNode dummy_target;
    ConnectionBase::check_connection_( dummy_target, source, target, receptor );
    neuron->register_plastic_synapse();
  }

  void get_status( Dictionary& d ) const;
  void set_status( const Dictionary& d, nest::ConnectorModel& cm );

  //! The kernel hands over the default weight at creation; here the weight follows from the device's state.
  void
  set_weight( double )
  {
  }

  bool send( nest::Event& e, size_t tid, const MemristiveProperties& cp );

private:
  double
  weight_( const MemristiveProperties& cp ) const
  {
    const double w_min = cp.w_min( device_ );
    const double w_max = cp.w_max( device_ );
    if ( cp.binary )
    {
      return state_ > cp.theta_p ? w_max : w_min;
    }
    return w_min + ( w_max - w_min ) * ( state_ / cp.p_max );
  }

  //! The weight with write noise and drift.
  double
  conductance_( long step, const DeviceHistory& history, const MemristiveProperties& cp ) const
  {
    const Device d = cp.device();
    const double w_range = cp.w_max( device_ ) - cp.w_min( device_ );
    const double w = with_write_noise( d, weight_( cp ), w_range, device_, n_events_ );
    return w * drift_factor( d, device_, history.age_s( step ) );
  }

  void
  take_( const Written& written, long step, DeviceHistory& history )
  {
    state_ = written.state;
    n_events_ += written.event;
    history.add( written, step );
  }

  void program_( double wanted, long step, DeviceHistory& history, const MemristiveProperties& cp );
  void
  potentiate_( long step, double z, DeviceHistory& history, const MemristiveProperties& cp );
  void apply_post_spikes_( long until_step, DeviceHistory& history, const MemristiveProperties& cp );
  void depress_( long step, DeviceHistory& history, const MemristiveProperties& cp );
  void visit_( const StateVisitor& visitor, const MemristiveProperties& cp );

  static double
  step_ms_()
  {
    return nest::Time::get_resolution().get_ms();
  }

  // With the 12 bytes of the base class this makes 56 bytes.
  uint32_t device_ = 0;   //!< index of the device in its projection
  uint32_t n_events_ = 0; //!< programming events so far
  uint32_t n_spikes_ = 0; //!< presynaptic spikes so far
  double state_ = 0.0;    //!< P
  double floor_ = 0.0;    //!< P_min
  double trace_ = 0.0;    //!< x just after the last presynaptic spike
  long t_last_ = 0;       //!< step of the last presynaptic spike, if there was one
};

template < typename T >
void
memristive_synapse< T >::program_( double wanted, long step, DeviceHistory& history, const MemristiveProperties& cp )
{
  if ( wanted != state_ )
  {
    take_(
      program( cp.device(), state_, wanted, floor_, cp.p_max, device_, n_events_, history.n_writes() ), step, history );
  }
}

template < typename T >
void
memristive_synapse< T >::potentiate_( long step, double z, DeviceHistory& history, const MemristiveProperties& cp )
{
  const double dt = static_cast< double >( step - t_last_ ) * step_ms_();
  const double x = cp.pre_trace ? trace_ * std::exp( -dt / cp.tau_plus ) : 1.0;
  const double wanted = std::min( state_ + cp.lambda_plus * x * cp.p_max, cp.p_max );
  program_(
    clip( wanted + cp.lambda_h * ( cp.z_target - z ) * cp.p_max, floor_, cp.p_max ), step, history, cp );
}

template < typename T >
void
memristive_synapse< T >::apply_post_spikes_( long until_step, DeviceHistory& history, const MemristiveProperties& cp )
{
  if ( n_spikes_ == 0 )
  {
    return;
  }
  // A postsynaptic spike reaches the synapse one (dendritic) delay later; it is t_last_ + dt then.
  const long d = get_delay_steps();
  const double h = step_ms_();
  const auto& spikes = target_.neuron()->post_spikes();
  auto it = std::upper_bound( spikes.begin(),
    spikes.end(),
    std::max( t_last_, cp.states_written ) - d,
    []( long step, const iaf_psc_exp_dAP::PostSpike& s ) { return step < s.step; } );
  for ( ; it != spikes.end() and it->step <= until_step - d; ++it )
  {
    const long dt_steps = it->step + d - t_last_;
    // Both limits are exclusive; half a rounding error must not decide.
    const double dt = static_cast< double >( dt_steps ) * h;
    if ( dt >= cp.dt_max - 1e-6 * h )
    {
      break;
    }
    if ( dt > cp.dt_min + 1e-6 * h )
    {
      potentiate_( it->step + d, it->z, history, cp );
    }
  }
}

template < typename T >
void
memristive_synapse< T >::depress_( long step, DeviceHistory& history, const MemristiveProperties& cp )
{
  program_( std::max( state_ - cp.lambda_minus * cp.p_max, floor_ ), step, history, cp );
  if ( cp.perturbs )
  {
    take_(
      perturb( cp.device(), state_, floor_, cp.p_max, device_, n_events_, history.n_writes() ), step, history );
  }
}

template < typename T >
bool
memristive_synapse< T >::send( nest::Event& e, size_t, const MemristiveProperties& cp )
{
  const long now = e.get_stamp().get_steps();
  if ( now < 0 ) [[unlikely]]
  {
    visit_( static_cast< const StateVisitor& >( e ), cp );
    return false;
  }

  DeviceHistory history = cp.histories.of( device_ );
  apply_post_spikes_( now, history, cp );
  depress_( now, history, cp );
  cp.histories.keep( device_, history );

  double w = weight_( cp );
  if ( cp.fluctuates )
  {
    w = conductance_( now, history, cp ) * read_factor( cp.device(), device_, n_spikes_ );
  }
  if ( cp.pre_trace )
  {
    trace_ = n_spikes_ ? trace_ * std::exp( -static_cast< double >( now - t_last_ ) * step_ms_() / cp.tau_plus ) + 1.0 : 1.0;
  }
  t_last_ = now;
  ++n_spikes_;

  if ( w == 0.0 )
  {
    return false;
  }
  e.set_receiver( *target_.neuron() );
  e.set_weight( w );
  e.set_delay_steps( get_delay_steps() );
  e.set_rport( get_rport() );
  e();
  return true;
}

template < typename T >
void
memristive_synapse< T >::visit_( const StateVisitor& visitor, const MemristiveProperties& cp )
{
  using Variable = StateVisitor::Variable;
  double* value = visitor.place();
  if ( not value )
  {
    return;
  }
  // Shown is the state as of now: postsynaptic spikes since the last presynaptic one are applied to a copy.
  memristive_synapse current( *this );
  DeviceHistory history = cp.histories.of( device_ );
  current.apply_post_spikes_( visitor.until_step, history, cp );
  if ( visitor.writing )
  {
    *this = current;
    cp.histories.keep( device_, history );
    switch ( visitor.variable )
    {
    case Variable::PERMANENCE:
      state_ = *value;
      break;
    case Variable::PERMANENCE_MIN:
      floor_ = *value;
      break;
    case Variable::N_EVENTS:
      n_events_ = static_cast< uint32_t >( *value );
      break;
    case Variable::N_SPIKES:
      n_spikes_ = static_cast< uint32_t >( *value );
      break;
    default: // the weight follows from the state, the rest is the connection's or NEST's own
      break;
    }
    return;
  }
  switch ( visitor.variable )
  {
  case Variable::WEIGHT:
    *value = current.conductance_( visitor.until_step, history, cp );
    break;
  case Variable::DELAY:
    *value = get_delay();
    break;
  case Variable::PERMANENCE:
    *value = current.state_;
    break;
  case Variable::PERMANENCE_MIN:
    *value = floor_;
    break;
  case Variable::DEVICE:
    *value = device_;
    break;
  case Variable::N_EVENTS:
    *value = current.n_events_;
    break;
  case Variable::N_SPIKES:
    *value = n_spikes_;
    break;
  case Variable::N_SET:
    *value = history.n_set;
    break;
  case Variable::N_RESET:
    *value = history.n_reset;
    break;
  }
}

template < typename T >
void
memristive_synapse< T >::get_status( Dictionary& d ) const
{
  ConnectionBase::get_status( d );
  d[ "permanence" ] = state_;
  d[ "permanence_min" ] = floor_;
  d[ "device" ] = static_cast< double >( device_ );
  d[ nest::names::size_of ] = static_cast< long >( sizeof( *this ) );
}

template < typename T >
void
memristive_synapse< T >::set_status( const Dictionary& d, nest::ConnectorModel& cm )
{
  ConnectionBase::set_status( d, cm );
  if ( d.update_value( "permanence", state_ ) )
  {
    floor_ = state_;
  }
  d.update_value( "permanence_min", floor_ );
  // NEST hands arrays over as floating point numbers; indices below 2^53 are exact.
  double device = device_;
  if ( d.update_value( "device", device ) )
  {
    device_ = static_cast< uint32_t >( device );
  }
}

} // namespace cosim

#endif
