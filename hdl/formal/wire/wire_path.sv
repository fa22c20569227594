    // What was at the receiver, clock by clock.
    logic [$bits(rx)-1:0] rx_1, rx_2, rx_3, rx_4;
    logic [$bits(rx_data)-1:0] data_1, data_2, data_3, data_4;
    logic [2:0] since_reset = 0;
    logic last_before = 0;
    always_ff @(posedge clock) begin
        {rx_4, rx_3, rx_2, rx_1} <= {rx_3, rx_2, rx_1, rx};
        {data_4, data_3, data_2, data_1} <= {data_3, data_2, data_1, rx_data};
        since_reset <= reset ? 0 : since_reset == 4 ? 4 : since_reset + 1;
        last_before <= tx__valid && tx__last;
    end
    always_comb begin
        if (since_reset == 4) begin
            delay__beat: assert (tx == rx_4);
            if (tx__valid) data__beat: assert (tx_data == data_4);
        end
        help__since: assert (since_reset <= 4);

        back_to_back: cover (last_before && tx__valid && tx__last && tx_data != 0);
    end
