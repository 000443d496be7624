// Leaky integrate-and-fire neuron with a dendritic action potential; docs/model_definition.md says exactly what it does.
//
// A neuron for which no threshold can be crossed before its next input or the end of its refractory period or
// plateau sleeps: update() returns after one comparison, or is not called at all as long as only an input can wake the
// neuron (which is then frozen, in NEST's words). The state is carried over the gap by the exact solution.

#ifndef COSIM_IAF_PSC_EXP_DAP_H
#define COSIM_IAF_PSC_EXP_DAP_H

#include <limits>
#include <string>
#include <vector>

#include "archiving_node.h"
#include "connection.h"
#include "event.h"
#include "nest_types.h"
#include "recordables_map.h"
#include "ring_buffer.h"
#include "universal_data_logger.h"

namespace cosim
{

class iaf_psc_exp_dAP : public nest::ArchivingNode
{
public:
  //! Receptor types; 0 is refused so that nobody connects to a receptor by accident.
  enum Receptor : size_t
  {
    EXCITATORY = 1,
    INHIBITORY = 2,
    DENDRITIC = 3
  };

  //! A somatic spike as the plastic synapses onto this neuron need it.
  struct PostSpike
  {
    long step;
    double z; //!< dAP trace at the spike
  };

  iaf_psc_exp_dAP();
  iaf_psc_exp_dAP( const iaf_psc_exp_dAP& );

  using nest::Node::handle;
  using nest::Node::handles_test_event;

  size_t send_test_event( nest::Node&, size_t, nest::synindex, bool ) override;
  size_t handles_test_event( nest::SpikeEvent&, size_t ) override;
  size_t handles_test_event( nest::CurrentEvent&, size_t ) override;
  size_t handles_test_event( nest::DataLoggingRequest&, size_t ) override;
  void handle( nest::SpikeEvent& ) override;
  void handle( nest::CurrentEvent& ) override;
  void handle( nest::DataLoggingRequest& ) override;

  void get_status( Dictionary& ) const override;
  void set_status( const Dictionary& ) override;

  //! From now on somatic spikes are archived for a plastic synapse.
  void register_plastic_synapse();

  //! Somatic spikes in order of time since the first plastic synapse was registered.
  const std::vector< PostSpike >&
  post_spikes() const
  {
    return post_spikes_;
  }

private:
  void init_buffers_() override;
  void pre_run_hook() override;
  void update( const nest::Time&, const long, const long ) override;

  friend class nest::RecordablesMap< iaf_psc_exp_dAP >;
  friend class nest::UniversalDataLogger< iaf_psc_exp_dAP >;

  struct Parameters
  {
    double C_m = 250.0;       //!< pF
    double tau_m = 10.0;      //!< ms
    double E_L = 0.0;         //!< mV
    double V_reset = 0.0;     //!< mV, relative to E_L
    double V_th = 20.0;       //!< mV, relative to E_L
    double t_ref = 10.0;      //!< ms
    double tau_syn_ex = 2.0;  //!< ms
    double tau_syn_in = 1.0;  //!< ms
    double tau_syn_dend = 5.0; //!< ms
    double I_e = 0.0;         //!< pA
    double I_dAP = 200.0;     //!< pA
    double theta_dAP = 59.0;  //!< pA
    double tau_dAP = 60.0;    //!< ms
    double tau_h = 440.0;     //!< ms
    bool record_dAP = false;  //!< keep the onsets of dendritic action potentials

    void get( Dictionary& ) const;
    //! Returns by how much E_L changed.
    double set( const Dictionary&, nest::Node* );
  };

  //! What evolves. All of it holds at one step, State::step.
  struct State
  {
    long step = 0;
    double V = 0.0;      //!< mV, relative to E_L
    double I_ex = 0.0;   //!< pA
    double I_in = 0.0;   //!< pA
    double I_dend = 0.0; //!< pA
    double D = 0.0;      //!< pA/ms, drives I_dend
    double I_ext = 0.0;  //!< pA, from current generators, for the coming step
    double z = 0.0;      //!< dAP trace
    long refractory_until = std::numeric_limits< long >::min(); //!< last step with V clamped
    long dAP_until = 0;  //!< last step of the plateau
    bool in_dAP = false;
  };

  //! Coefficients of the exact solution over a number of steps.
  struct Propagator
  {
    double V, V_ex, V_in, V_dend, V_D, V_const; //!< into V
    double ex, in, dend, t, z;                   //!< decay of the currents and of z; span in ms

    Propagator() = default;
    Propagator( const Parameters&, double t_ms );
  };

  enum Channel
  {
    CHANNEL_EX,
    CHANNEL_IN,
    CHANNEL_DEND,
    CHANNEL_CURRENT,
    N_CHANNELS
  };

  //! Integrate S over a span in which refractory period and plateau neither begin nor end and nothing arrives.
  void propagate_( State& S, const Propagator& ) const;
  //! The state `S_` carried to a later step of the same sleep.
  State state_at_( long step ) const;
  //! Wake up at the given step: carry the state over the gap.
  void catch_up_( long step );
  //! One step with input and thresholds, ending at S_.step + 1.
  void step_( long lag );
  //! Decide until when nothing can happen.
  void fall_asleep_if_possible_( long slice_origin_step );
  bool threshold_out_of_reach_() const;
  void set_wake_step_( long step );

  double get_V_m_() const;
  double get_I_syn_ex_() const;
  double get_I_syn_in_() const;
  double get_I_dend_() const;
  double get_dAP_trace_() const;

  // The first two members are all that update() reads while the neuron sleeps.
  nest::tic_t asleep_until_tics_ = 0; //!< nothing happens up to and including this time
  bool logging_ = false;              //!< a multimeter is connected: update() must run

  long wake_step_ = 0;       //!< next step that must be computed
  long last_input_step_ = 0; //!< latest step for which input was received
  long recorded_step_ = 0;   //!< step for which the multimeter is being served
  long refractory_steps_ = 0;
  long dAP_steps_ = 0;
  double peak_ex_ = 0.0;
  double peak_in_ = 0.0;
  double D_jump_ = 0.0;

  State S_;
  Parameters P_;
  Propagator one_step_;

  nest::MultiChannelInputBuffer< N_CHANNELS > input_;
  nest::UniversalDataLogger< iaf_psc_exp_dAP > logger_;

  bool archive_post_spikes_ = false;
  std::vector< PostSpike > post_spikes_;
  std::vector< double > dAP_times_; //!< ms

  static nest::RecordablesMap< iaf_psc_exp_dAP > recordables_;
};

} // namespace cosim

#endif
