// Entry point of the extension: NEST finds the instance named after the file and registers the models.

#include "nest_extension_interface.h"

#include "iaf_psc_exp_dAP.h"
#include "memristive_synapse.h"
#include "programmed_synapse.h"

class CosimModule : public nest::NESTExtensionInterface
{
public:
  void
  initialize() override
  {
    nest::register_node_model< cosim::iaf_psc_exp_dAP >( "iaf_psc_exp_dAP", "" );
    nest::register_connection_model< cosim::memristive_synapse >( "memristive_synapse" );
    nest::register_connection_model< cosim::programmed_synapse >( "programmed_synapse" );
  }
};

CosimModule cosim_module_LTX_module;
